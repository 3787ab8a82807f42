"""How long until news takes effect, measured by a ping from worker Pod to worker Pod that runs meanwhile.

For the two Endpoint figures west's gateway daemon is stopped and the benchmark writes west's Endpoint at the
broker itself: so the moment of the write is known, and all the rest is what the other cluster has to do.
West's charon and route agents run on, as those of a cluster do that has just prepared itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.pinging import Answers, pinging
from bench.result import Result, at_most
from broker.access import BROKER_NAMESPACE
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.auth import connect, from_kubeconfig
from isthmus.kube.resources import ENDPOINTS, GATEWAYS
from isthmus.lab import clusterset, kubelet
from isthmus.lab.install import install
from isthmus.lab.lab import Lab
from isthmus.lab.supervisor import parse_unit

ANNOUNCEMENTS = 10
CRASHES = 5
JOINS = 3
PATIENCE = 60.0
HERE, THERE = "east", "west"
KEPT = ("name", "namespace", "labels", "annotations")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rig:
    """The lab, and the API servers of both clusters; `broker` is also east's."""

    lab: Lab
    broker: KubeApi
    there: KubeApi
    answers: Answers


def measure(lab: Lab, say: Say) -> list[Result]:
    """Everything, on a joined lab; it is joined again at the end."""
    return asyncio.run(_measure(lab, say))


async def _measure(lab: Lab, say: Say) -> list[Result]:
    target = lab.topology.node(f"{THERE}-worker").pods[0]
    async with AsyncExitStack() as stack:
        access = {name: await from_kubeconfig(lab.plane(name).kubeconfig, name) for name in (HERE, THERE)}
        broker = await stack.enter_async_context(connect(access[HERE]))
        there = await stack.enter_async_context(connect(access[THERE]))
        answers = stack.enter_context(pinging(lab, f"{HERE}/web-worker", str(target.address)))
        rig = Rig(lab, broker, there, answers)
        results = await _announcements(rig, say)
        results += await _crashes(rig, say)
        results += await _joins(rig, say)
    return results


def summarise(name: str, seconds: list[float], goal: float, against: str) -> list[Result]:
    """Median and worst of the repetitions."""
    times = f"{len(seconds)} times"
    return [
        at_most(f"{name}, median", median(seconds), "s", goal, f"{against}; {times}"),
        at_most(f"{name}, worst", max(seconds), "s", goal * 2, f"{against}; {times}"),
    ]


async def _announcements(rig: Rig, say: Say) -> list[Result]:
    machine = rig.lab.machine(f"{THERE}-gateway")
    unit = parse_unit((machine.directory / "units" / f"{kubelet.GATEWAY}.json").read_text(encoding="utf-8"))
    whole = await _endpoint_of(rig.broker, THERE)
    services = await _narrowed(rig, whole)
    machine.drop(kubelet.GATEWAY)
    try:
        new = [await _time_new(rig, whole) for _ in range(ANNOUNCEMENTS)]
        say(f"new Endpoint to first ping: {_shown(new)}")
        more = [await _time_update(rig, services, whole) for _ in range(ANNOUNCEMENTS)]
        say(f"new subnet to first ping: {_shown(more)}")
    finally:
        machine.put(kubelet.GATEWAY, unit)
    name = "Endpoint written at the broker to first ping"
    return [
        *summarise(name, new, 2.0, "API servers, judge, IKE and routes in between"),
        *summarise("subnet added at the broker to first ping", more, 2.0, "the tunnel is up before"),
    ]


async def _time_new(rig: Rig, whole: Object) -> float:
    name = whole["metadata"]["name"]
    await rig.broker.delete(ENDPOINTS, BROKER_NAMESPACE, name)
    await _settled(rig)
    written = time.time()
    await rig.broker.create(ENDPOINTS, BROKER_NAMESPACE, whole)
    taken = await asyncio.to_thread(rig.answers.wait_first, written, PATIENCE)
    await asyncio.sleep(0.5)
    return taken


async def _time_update(rig: Rig, less: Object, whole: Object) -> float:
    name = whole["metadata"]["name"]
    await rig.broker.replace(ENDPOINTS, BROKER_NAMESPACE, name, await _as_now(rig.broker, less))
    await _settled(rig)
    update = await _as_now(rig.broker, whole)
    written = time.time()
    await rig.broker.replace(ENDPOINTS, BROKER_NAMESPACE, name, update)
    taken = await asyncio.to_thread(rig.answers.wait_first, written, PATIENCE)
    await asyncio.sleep(0.5)
    return taken


async def _settled(rig: Rig) -> None:
    """Wait until nothing gets through any more and the other cluster has come to rest."""
    await asyncio.to_thread(rig.answers.wait_silence, PATIENCE)
    await asyncio.sleep(1.5)


async def _crashes(rig: Rig, say: Say) -> list[Result]:
    await _ready(rig, time.time())
    taken = []
    for _ in range(CRASHES):
        await asyncio.sleep(2.0)
        killed = time.time()
        rig.lab.machine(f"{HERE}-gateway").kill("charon")
        taken.append(await asyncio.to_thread(rig.answers.wait_recovery, killed, PATIENCE))
    say(f"charon killed to first ping: {_shown(taken)}")
    return summarise("charon killed to first ping", taken, 5.0, "its supervisor waits 0.2 s")


async def _joins(rig: Rig, say: Say) -> list[Result]:
    connected, pinged = [], []
    for _ in range(JOINS):
        await asyncio.to_thread(clusterset.leave, rig.lab, THERE, _quiet)
        await asyncio.to_thread(clusterset.checked_cli, rig.lab, *clusterset.join_command(rig.lab, THERE))
        await _settled(rig)
        await asyncio.to_thread(install, rig.lab, [THERE], _quiet)
        begun = _handed_over(rig)
        connected.append(await _ready(rig, begun))
        pinged.append(await asyncio.to_thread(rig.answers.wait_first, begun, PATIENCE))
    say(f"daemons started to connected: {_shown(connected)}; to first ping: {_shown(pinged)}")
    return [
        *summarise("daemons started to first ping", pinged, 5.0, "a cluster joins; Python starts within"),
        *summarise(
            "daemons started to connected on both sides", connected, 5.0, "as the Gateway objects say"
        ),
    ]


def _handed_over(rig: Rig) -> float:
    """The time at which the gateway's unit was handed to the node."""
    directory = rig.lab.machine(f"{THERE}-gateway").directory
    return (directory / "units" / f"{kubelet.GATEWAY}.json").stat().st_mtime


async def _ready(rig: Rig, since: float) -> float:
    """Wait until both sides' Gateway objects say connected; return the seconds since *since*."""
    for api in (rig.broker, rig.there):
        await _until(lambda api=api: _is_connected(api))  # type: ignore[misc]
    return time.time() - since


async def _until(look: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await look():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not connected within {PATIENCE:g} s")
        await asyncio.sleep(0.05)


async def _is_connected(api: KubeApi) -> bool:
    found = (await api.list(GATEWAYS, kubelet.NAMESPACE)).items
    rows = [row for item in found for row in item["status"].get("connections") or ()]
    return bool(rows) and all(row["status"] == "connected" for row in rows)


async def _endpoint_of(broker: KubeApi, cluster: str) -> Object:
    found = (await broker.list(ENDPOINTS, BROKER_NAMESPACE)).items
    [one] = [item for item in found if item["spec"]["cluster_id"] == cluster]
    return _fresh(one)


async def _narrowed(rig: Rig, whole: Object) -> Object:
    """The same Endpoint with its Services alone."""
    services = str(rig.lab.topology.cluster(THERE).service_cidr)
    return {**whole, "spec": {**whole["spec"], "subnets": [services]}}


async def _as_now(broker: KubeApi, wanted: Object) -> Object:
    """*wanted* as a replacement of what is there."""
    there = await broker.get(ENDPOINTS, BROKER_NAMESPACE, wanted["metadata"]["name"])
    version: dict[str, Any] = {"resourceVersion": there["metadata"]["resourceVersion"]}
    return {**wanted, "metadata": {**wanted["metadata"], **version}}


def _fresh(item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if key in KEPT}
    return {
        "apiVersion": item["apiVersion"],
        "kind": item["kind"],
        "metadata": metadata,
        "spec": item["spec"],
    }


def _shown(seconds: list[float]) -> str:
    return " ".join(f"{each:.2f}" for each in seconds) + " s"


def _quiet(_line: str) -> None:
    """The steps of leaving and joining are not of interest here."""

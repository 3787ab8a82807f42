"""How long until an Endpoint at the broker takes effect in another cluster.

West's gateway daemon is stopped and the benchmark writes west's Endpoint at the broker itself: so the moment
of the write is known, and all the rest is what the other cluster has to do. West's charon and route agents
run on, as those of a cluster do that has just prepared itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.pinging import Answers
from bench.result import Result, at_most
from broker.access import BROKER_NAMESPACE
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.resources import ENDPOINTS
from isthmus.lab import kubelet
from isthmus.lab.lab import Lab
from isthmus.lab.supervisor import parse_unit

ANNOUNCEMENTS = 10
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


def summarise(name: str, seconds: list[float], goal: float, against: str) -> list[Result]:
    """Median and worst of the repetitions."""
    times = f"{len(seconds)} times"
    return [
        at_most(f"{name}, median", median(seconds), "s", goal, f"{against}; {times}"),
        at_most(f"{name}, worst", max(seconds), "s", goal * 2, f"{against}; {times}"),
    ]


def shown_seconds(seconds: list[float]) -> str:
    """All repetitions in a line."""
    return " ".join(f"{each:.2f}" for each in seconds) + " s"


async def settled(rig: Rig) -> None:
    """Wait until nothing gets through any more and the other cluster has come to rest."""
    await asyncio.to_thread(rig.answers.wait_silence, PATIENCE)
    await asyncio.sleep(1.5)


async def announcements(rig: Rig, say: Say) -> list[Result]:
    """Time new Endpoints and new subnets; west's gateway daemon runs again afterwards."""
    machine = rig.lab.machine(f"{THERE}-gateway")
    unit = parse_unit((machine.directory / "units" / f"{kubelet.GATEWAY}.json").read_text(encoding="utf-8"))
    whole = await _endpoint_of(rig.broker, THERE)
    services = await _narrowed(rig, whole)
    machine.drop(kubelet.GATEWAY)
    try:
        new = [await _time_new(rig, whole) for _ in range(ANNOUNCEMENTS)]
        say(f"new Endpoint to first ping: {shown_seconds(new)}")
        more = [await _time_update(rig, services, whole) for _ in range(ANNOUNCEMENTS)]
        say(f"new subnet to first ping: {shown_seconds(more)}")
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
    await settled(rig)
    written = time.time()
    await rig.broker.create(ENDPOINTS, BROKER_NAMESPACE, whole)
    taken = await asyncio.to_thread(rig.answers.wait_first, written, PATIENCE)
    await asyncio.sleep(0.5)
    return taken


async def _time_update(rig: Rig, less: Object, whole: Object) -> float:
    name = whole["metadata"]["name"]
    await rig.broker.replace(ENDPOINTS, BROKER_NAMESPACE, name, await _as_now(rig.broker, less))
    await settled(rig)
    update = await _as_now(rig.broker, whole)
    written = time.time()
    await rig.broker.replace(ENDPOINTS, BROKER_NAMESPACE, name, update)
    taken = await asyncio.to_thread(rig.answers.wait_first, written, PATIENCE)
    await asyncio.sleep(0.5)
    return taken


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

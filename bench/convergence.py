"""How long until news takes effect, measured by a ping from worker Pod to worker Pod that runs meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

from bench.announcing import (
    HERE,
    PATIENCE,
    THERE,
    Rig,
    Say,
    announcements,
    settled,
    shown_seconds,
    summarise,
)
from bench.pinging import pinging
from bench.result import Result
from isthmus.kube.api import KubeApi
from isthmus.kube.auth import connect, from_kubeconfig
from isthmus.kube.resources import GATEWAYS
from isthmus.lab import clusterset, kubelet
from isthmus.lab.install import install
from isthmus.lab.lab import Lab

CRASHES = 5
JOINS = 3


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
        results = await announcements(rig, say)
        results += await _crashes(rig, say)
        results += await _joins(rig, say)
    return results


async def _crashes(rig: Rig, say: Say) -> list[Result]:
    await _ready(rig, time.time())
    taken = []
    for _ in range(CRASHES):
        await asyncio.sleep(2.0)
        killed = time.time()
        rig.lab.machine(f"{HERE}-gateway").kill("charon")
        taken.append(await asyncio.to_thread(rig.answers.wait_recovery, killed, PATIENCE))
    say(f"charon killed to first ping: {shown_seconds(taken)}")
    return summarise("charon killed to first ping", taken, 5.0, "its supervisor waits 0.2 s")


async def _joins(rig: Rig, say: Say) -> list[Result]:
    connected, pinged = [], []
    for _ in range(JOINS):
        await asyncio.to_thread(clusterset.leave, rig.lab, THERE, _quiet)
        await asyncio.to_thread(clusterset.checked_cli, rig.lab, *clusterset.join_command(rig.lab, THERE))
        await settled(rig)
        await asyncio.to_thread(install, rig.lab, [THERE], _quiet)
        begun = _handed_over(rig)
        connected.append(await _ready(rig, begun))
        pinged.append(await asyncio.to_thread(rig.answers.wait_first, begun, PATIENCE))
    say(f"daemons started to connected: {shown_seconds(connected)}; to first ping: {shown_seconds(pinged)}")
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
        await _until(partial(_is_connected, api))
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


def _quiet(_line: str) -> None:
    """The steps of leaving and joining are not of interest here."""

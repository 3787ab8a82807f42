"""The gateway's part of `scale`: cables, IPsec connections, and a charon in memory that holds a thousand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import cast

from bench import world
from bench.result import Result, at_most, exactly, shown
from bench.spent import median_ms
from gateway.plan.cables import Cable, plan_cables
from gateway.plan.ipsec import IpsecOptions, plan_ipsec
from gateway.strongswan import StrongswanDriver
from isthmus.charon.api import Charon
from isthmus.charon.driver import sync_connections
from isthmus.charon.naming import child_name, secret_name
from isthmus.charon.records import IpsecConnection, Psk, SharedSecret, StartAction
from isthmus.reconcile.clock import SystemClock
from tests.fakes.charon import FakeCharon

REPETITIONS = 9
GOAL_MS = 100
OPTIONS = IpsecOptions(Psk("a key for a benchmark"))
ISSUE = "1 changed Endpoint, 1,000 clusters x 4 subnets"


class Configured:
    """A charon's configuration alone: names are kept as charon keeps them, not worked out at each listing."""

    def __init__(self) -> None:
        self.children: dict[str, frozenset[str]] = {}
        self.secrets: set[str] = set()
        self.writes = 0

    async def load_connection(self, connection: IpsecConnection) -> None:
        self.writes += 1
        self.children[connection.name] = frozenset({child_name(connection)})

    async def unload_connection(self, name: str) -> None:
        self.writes += 1
        del self.children[name]

    async def loaded_connections(self) -> Mapping[str, frozenset[str]]:
        return dict(self.children)

    async def load_secret(self, secret: SharedSecret) -> None:
        self.writes += 1
        self.secrets.add(secret_name(secret))

    async def unload_secret(self, identifier: str) -> None:
        self.writes += 1
        self.secrets.discard(identifier)

    async def loaded_secrets(self) -> frozenset[str]:
        return frozenset(self.secrets)


def measure() -> list[Result]:
    """Plan time, writes, and whole passes of the driver with a thousand tunnels up."""
    before = world.world()
    after = world.changed(before)
    return [*asyncio.run(_configuration(before, after)), *asyncio.run(_passes(before, after))]


def _cables(members: world.World) -> tuple[Cable, ...]:
    return plan_cables(members.endpoints[0].spec, members.membership())


async def _configuration(before: world.World, after: world.World) -> list[Result]:
    charon = Configured()

    async def carry(members: world.World) -> int:
        plan = plan_ipsec(_cables(members), OPTIONS, StartAction.NONE)
        return (await sync_connections(cast(Charon, charon), plan.connections, plan.secrets)).outcome.writes

    await carry(before)
    charon.writes = 0
    spent = []
    for turn in range(REPETITIONS):
        start = time.process_time()
        await carry((after, before)[turn % 2])
        spent.append(time.process_time() - start)
    middle = sorted(spent)[len(spent) // 2] * 1000
    return [
        at_most("gateway: judge, plan and compare with charon", middle, "ms CPU", GOAL_MS, ISSUE),
        exactly(
            "gateway: writes to charon per change", charon.writes / REPETITIONS, "writes", 1, "one connection"
        ),
    ]


async def _passes(before: world.World, after: world.World) -> list[Result]:
    charon = FakeCharon()
    driver = StrongswanDriver(charon, OPTIONS, SystemClock())
    first, second = _cables(before), _cables(after)
    await driver.sync(first)
    charon.writes = 0
    start = time.process_time()
    await driver.sync(first)
    idle = (time.process_time() - start) * 1000
    unneeded = charon.writes
    await driver.sync(second)
    start = time.process_time()
    await driver.states()
    told = (time.process_time() - start) * 1000
    return [
        exactly("gateway: writes of a pass without news", unneeded, "writes", 0, "nothing"),
        shown("gateway: whole driver pass, 1,000 tunnels up", idle, "ms CPU all", "with the fake's own work"),
        shown("gateway: states of 1,000 tunnels", told, "ms CPU all", ""),
        shown("gateway: judge alone", median_ms(before.membership, REPETITIONS), "ms CPU all", ""),
    ]

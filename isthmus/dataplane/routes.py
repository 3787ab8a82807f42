"""Which routes of ours should exist in which tables.

A route is ours when its protocol is ours. One route per (family, table, destination, metric): a second metric
for the same destination is the fallback behind the first, such as an unreachable route behind a tunnel's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from crds.meta import Family, IPAddress, IPNetwork
from isthmus.reconcile.outcome import Outcome

MAIN_TABLE = 254


class RouteType(StrEnum):
    """What the kernel does with a packet that takes the route."""

    UNICAST = "unicast"
    UNREACHABLE = "unreachable"
    BLACKHOLE = "blackhole"


@dataclass(frozen=True, slots=True)
class Route:
    """A route of ours. `source` is the address that the host's own packets get; `onlink` trusts `via` unseen.

    IPv6 knows no metric 0: the kernel turns it into 1024, and so does the driver.
    """

    dst: IPNetwork
    table: int
    metric: int = 0
    device: str | None = None
    via: IPAddress | None = None
    source: IPAddress | None = None
    kind: RouteType = RouteType.UNICAST
    onlink: bool = False


@dataclass(frozen=True, slots=True)
class DefaultRoute:
    """The best default route of the main table and the source address that the kernel gives packets on it."""

    device: str
    via: IPAddress | None
    source: IPAddress | None


class RouteTable(Protocol):
    """The kernel's routes."""

    async def dump(self, family: Family, table: int) -> tuple[Route, ...]:
        """The routes of our protocol in *table*."""

    async def put(self, route: Route) -> None:
        """Add the route or replace the one with its key."""

    async def drop(self, route: Route) -> None:
        """Remove the route; a missing one is fine."""

    async def default(self, family: Family) -> DefaultRoute | None:
        """The default route of the main table with the lowest metric, whoever made it."""


async def sync_routes(
    table: RouteTable, desired: Iterable[Route], *, family: Family, tables: Iterable[int]
) -> Outcome:
    """Bring our routes in *tables* to *desired*; a desired route elsewhere is an error of the planner."""
    raise NotImplementedError

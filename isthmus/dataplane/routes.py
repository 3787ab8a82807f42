"""Which routes of ours should exist in which tables.

A route is ours when its protocol is ours. One route per (family, table, destination, metric): a second metric
for the same destination is the fallback behind the first, such as an unreachable route behind a tunnel's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from crds.meta import Family, IPAddress, IPNetwork
from isthmus.dataplane.converge import converge
from isthmus.dataplane.errors import Exists, InTheWay
from isthmus.dataplane.tally import Tally
from isthmus.reconcile.delta import diff
from isthmus.reconcile.outcome import Outcome

MAIN_TABLE = 254

IPV6_DEFAULT_METRIC = 1024
"""What the kernel makes of metric 0 for IPv6 (IP6_RT_PRIO_USER)."""

Key = tuple[int, IPNetwork, int]
"""Table, destination, metric."""


class RouteType(StrEnum):
    """What the kernel does with a packet that takes the route."""

    UNICAST = "unicast"
    UNREACHABLE = "unreachable"
    BLACKHOLE = "blackhole"
    THROW = "throw"
    """Go on with the next policy rule, as if the table had no route."""


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


class RouteTable(Protocol):
    """The kernel's routes."""

    async def dump(self, family: Family, table: int) -> tuple[Route, ...]:
        """The routes of our protocol in *table*."""

    async def add(self, route: Route) -> None:
        """Add the route; raises Exists if there is one with its key, whoever made that."""

    async def replace(self, route: Route) -> None:
        """Put the route in the place of the one with its key."""

    async def drop(self, route: Route) -> None:
        """Remove the route; a missing one is fine."""


async def owned_routes(table: RouteTable, family: Family, tables: Iterable[int]) -> dict[Key, Route]:
    """Our routes in *tables* by their key."""
    return {
        _key(route): route for number in sorted(set(tables)) for route in await table.dump(family, number)
    }


async def sync_routes(
    table: RouteTable, desired: Iterable[Route], *, family: Family, tables: Iterable[int]
) -> Outcome:
    """Bring our routes of *family* in *tables* to *desired*, all of which must lie there.

    A foreign route with the key of a desired one is left alone and reported: replacing it would take away
    what somebody else relies on.
    """
    tally = Tally("routes")
    with tally.collecting():
        wanted = {_key(route): route for route in map(_as_the_kernel_says, desired)}
        delta = diff(wanted, await owned_routes(table, family, tables))

        async def add(route: Route) -> None:
            try:
                await table.add(route)
            except Exists:
                raise InTheWay(
                    f"a route to {route.dst} with metric {route.metric} that is not ours is in table "
                    f"{route.table}; remove it or give it another metric"
                ) from None

        await converge(tally, delta, add=add, change=table.replace, drop=table.drop)
    return tally.outcome()


def _key(route: Route) -> Key:
    return route.table, route.dst, route.metric


def _as_the_kernel_says(route: Route) -> Route:
    if route.dst.version == 6 and route.metric == 0:
        return replace(route, metric=IPV6_DEFAULT_METRIC)
    return route

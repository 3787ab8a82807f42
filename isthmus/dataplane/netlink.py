"""Opens the kernel's networking tables of this namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pyroute2 import AsyncIPRoute

from isthmus.dataplane.changes import KernelFeed
from isthmus.dataplane.netlink_addresses import KernelAddresses
from isthmus.dataplane.netlink_links import KernelLinks
from isthmus.dataplane.netlink_neighbours import KernelFdb, KernelNeighbours
from isthmus.dataplane.netlink_routes import KernelRoutes, KernelRules, KernelUplinks
from isthmus.dataplane.netlink_session import Session
from isthmus.dataplane.tables import Netlink


@asynccontextmanager
async def kernel_netlink() -> AsyncIterator[Netlink]:
    """The kernel's tables in the network namespace of the calling thread, until the context ends."""
    # Strict checking lets the kernel filter dumps by table and protocol instead of ignoring the filter.
    async with AsyncIPRoute(strict_check=True) as ipr:
        session = Session(ipr)
        yield Netlink(
            links=KernelLinks(session),
            addresses=KernelAddresses(session),
            neighbours=KernelNeighbours(session),
            fdb=KernelFdb(session),
            routes=KernelRoutes(session),
            rules=KernelRules(session),
            uplinks=KernelUplinks(session),
            feed=KernelFeed(),
        )

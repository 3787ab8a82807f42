"""The kernel's networking tables as one value to hand around; each kind has its own small protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from isthmus.dataplane.addresses import AddressTable
from isthmus.dataplane.fdb import FdbTable
from isthmus.dataplane.links import LinkTable
from isthmus.dataplane.neighbours import NeighbourTable
from isthmus.dataplane.routes import RouteTable
from isthmus.dataplane.rules import RuleTable
from isthmus.dataplane.uplink import UplinkTable


class ChangeFeed(Protocol):
    """News that links, addresses, routes or rules changed."""

    def changes(self) -> AsyncGenerator[None, None]:
        """Yield once per burst of changes, for ever; what changed is for the next dump to say."""


@dataclass(frozen=True, slots=True)
class Netlink:
    """Every table of one network namespace."""

    links: LinkTable
    addresses: AddressTable
    neighbours: NeighbourTable
    fdb: FdbTable
    routes: RouteTable
    rules: RuleTable
    uplinks: UplinkTable
    feed: ChangeFeed

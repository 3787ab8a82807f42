"""Permanent neighbour (ARP, NDP) entries on a link of our own, where nobody else's can be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from crds.meta import IPAddress
from isthmus.dataplane.converge import converge
from isthmus.dataplane.tally import Tally
from isthmus.reconcile.delta import diff
from isthmus.reconcile.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Frames for `address` on `device` go to `mac`."""

    device: str
    address: IPAddress
    mac: str


class NeighbourTable(Protocol):
    """The kernel's permanent neighbour entries."""

    async def dump(self, device: str) -> tuple[Neighbour, ...]:
        """The permanent entries of *device*, both families; none if the device is missing."""

    async def put(self, neighbour: Neighbour) -> None:
        """Add or replace the entry of that address."""

    async def drop(self, neighbour: Neighbour) -> None:
        """Remove the entry; a missing one is fine."""


async def sync_neighbours(table: NeighbourTable, desired: Iterable[Neighbour], device: str) -> Outcome:
    """Bring the permanent entries of *device*, a link of ours, to *desired*."""
    tally = Tally("neighbours")
    with tally.collecting():
        wanted = {entry.address: entry for entry in desired}
        owned = {entry.address: entry for entry in await table.dump(device)}
        await converge(tally, diff(wanted, owned), add=table.put, change=table.put, drop=table.drop)
    return tally.outcome()

"""Where a VXLAN link of ours sends which MAC: its forwarding database.

The entry that the link's own `group` makes belongs to the link and is not shown here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from crds.meta import IPAddress
from isthmus.dataplane.converge import converge
from isthmus.dataplane.tally import Tally
from isthmus.reconcile.delta import diff
from isthmus.reconcile.outcome import Outcome

ZERO_MAC = "00:00:00:00:00:00"
"""Entries of this MAC get a copy of every frame whose MAC has no entry: one per destination."""


@dataclass(frozen=True, slots=True)
class FdbEntry:
    """Frames for `mac` leave `device` wrapped for the host `destination`."""

    device: str
    mac: str
    destination: IPAddress


class FdbTable(Protocol):
    """The kernel's permanent VXLAN forwarding entries."""

    async def dump(self, device: str) -> tuple[FdbEntry, ...]:
        """The permanent entries of *device* except its group's; none if the device is missing."""

    async def put(self, entry: FdbEntry) -> None:
        """Add the entry: one more destination for the zero MAC, the only one for any other."""

    async def drop(self, entry: FdbEntry) -> None:
        """Remove the entry; a missing one is fine."""


async def sync_fdb(table: FdbTable, desired: Iterable[FdbEntry], device: str) -> Outcome:
    """Bring the permanent entries of *device*, a link of ours, to *desired*."""
    tally = Tally("fdb")
    with tally.collecting():
        wanted = {_key(entry): entry for entry in desired}
        owned = {_key(entry): entry for entry in await table.dump(device)}
        await converge(tally, diff(wanted, owned), add=table.put, change=table.put, drop=table.drop)
    return tally.outcome()


def _key(entry: FdbEntry) -> tuple[str, IPAddress | None]:
    return entry.mac, entry.destination if entry.mac == ZERO_MAC else None

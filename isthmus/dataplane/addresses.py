"""Which addresses of ours one device should carry.

On a link of our own every address is ours, except the link-local one that the kernel gives to each; on any
other device only those with our label are, which is why an address for such a device must carry it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface
from typing import Protocol

from isthmus.dataplane import ownership
from isthmus.dataplane.tally import Tally
from isthmus.reconcile.delta import diff
from isthmus.reconcile.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Address:
    """An address with its prefix length on a device; `label` "" means the device name.

    IPv6 knows no labels; there our label stands for our address protocol.
    """

    device: str
    interface: IPv4Interface | IPv6Interface
    label: str = ""


class AddressTable(Protocol):
    """The kernel's interface addresses."""

    async def dump(self) -> tuple[Address, ...]:
        """Every address of the namespace, both families, in the kernel's order."""

    async def put(self, address: Address) -> None:
        """Add the address; an equal one is fine."""

    async def drop(self, address: Address) -> None:
        """Remove the address; a missing one is fine."""


async def owned_addresses(table: AddressTable, device: str) -> dict[Address, Address]:
    """Our addresses on *device*."""
    return {
        address: address
        for address in await table.dump()
        if address.device == device and _is_ours(address) and not address.interface.is_link_local
    }


async def sync_addresses(table: AddressTable, desired: Iterable[Address], device: str) -> Outcome:
    """Bring our addresses on *device* to *desired*; none desired removes all of ours there."""
    tally = Tally("addresses")
    with tally.collecting():
        wanted = {address: address for address in desired}
        owned = await owned_addresses(table, device)
        # Removals first, against the usual order, and then another look: when an address goes, the kernel
        # takes along every later one of its network on that device (unless `promote_secondaries` is set).
        if unwanted := diff(wanted, owned).removed:
            for address in unwanted:
                await tally.write("removed", table.drop(address))
            owned = await owned_addresses(table, device)
        for address in diff(wanted, owned).added:
            await tally.write("added", table.put(address))
    return tally.outcome()


def _is_ours(address: Address) -> bool:
    return address.device == ownership.VXLAN_LINK or address.label == ownership.ADDRESS_LABEL

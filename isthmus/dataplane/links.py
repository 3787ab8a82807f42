"""Which VXLAN links should exist, and how the kernel is brought there.

A link is ours when it carries our alias. What can be changed in place (MTU, MAC, state, the remote end) is;
anything else means a new link, and the steps after this one put its addresses and routes back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from crds.meta import IPAddress
from isthmus.dataplane import ownership
from isthmus.reconcile.outcome import Outcome


@dataclass(frozen=True, slots=True)
class VxlanLink:
    """A VXLAN device: `group` is the unicast address it sends to by default, `local` the outer source."""

    name: str
    vni: int
    port: int
    mtu: int
    local: IPAddress
    group: IPAddress | None
    mac: str


@dataclass(frozen=True, slots=True)
class LinkInfo:
    """A link as the kernel shows it; `vxlan` only for VXLAN links, `kind` "" for plain devices."""

    name: str
    index: int
    kind: str
    mtu: int
    up: bool
    alias: str
    mac: str
    vxlan: VxlanLink | None = None


class LinkTable(Protocol):
    """The kernel's links."""

    async def dump(self) -> tuple[LinkInfo, ...]:
        """Every link of the namespace."""

    async def create(self, link: VxlanLink) -> None:
        """Make the link with our alias and set it up."""

    async def adjust(self, link: VxlanLink) -> None:
        """Set MTU, MAC, remote end and the up state of an existing link of ours."""

    async def delete(self, name: str) -> None:
        """Remove the link; a missing one is fine."""


async def owned_links(table: LinkTable) -> dict[str, LinkInfo]:
    """The links that carry our alias, by name."""
    return {link.name: link for link in await table.dump() if link.alias == ownership.LINK_ALIAS}


async def sync_links(table: LinkTable, desired: Iterable[VxlanLink]) -> Outcome:
    """Bring our links to *desired*; none desired removes all of ours."""
    raise NotImplementedError

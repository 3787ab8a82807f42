"""Which VXLAN links should exist, and how the kernel is brought there.

A link is ours when it carries our alias. MTU, MAC, state and the group it sends to are changed in place;
anything else means a new link, and the steps after this one put its addresses and routes back. Old links go
before new ones come, because the kernel does not take two with one VNI and port.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from crds.meta import IPAddress
from isthmus.dataplane import ownership
from isthmus.dataplane.errors import InTheWay
from isthmus.dataplane.tally import Tally
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
        """Set MTU, MAC, group and the up state of an existing link of ours."""

    async def delete(self, name: str) -> None:
        """Remove the link; a missing one is fine."""


def is_ours(link: LinkInfo) -> bool:
    """Whether the link carries our alias, or died before it got it."""
    return link.alias == ownership.LINK_ALIAS or link.name == ownership.UNBORN_LINK


async def owned_links(table: LinkTable) -> dict[str, LinkInfo]:
    """Our links by name."""
    return {link.name: link for link in await table.dump() if is_ours(link)}


async def sync_links(table: LinkTable, desired: Iterable[VxlanLink]) -> Outcome:
    """Bring our links to *desired*; none desired removes all of ours."""
    tally = Tally("links")
    with tally.collecting():
        present = {link.name: link for link in await table.dump()}
        owned = {name: link for name, link in present.items() if is_ours(link)}
        wanted = {link.name: link for link in desired}

        for name in [name for name in owned if name not in wanted]:
            await tally.write("removed", table.delete(name))
        for name, link in wanted.items():
            found = present.get(name)
            if foreign := _obstacle(link, present.values()):
                tally.failures.append(foreign)
            elif found is None:
                await tally.write("added", table.create(link))
            elif not _same_tunnel(found, link):
                await tally.write("changed", _recreate(table, link))
            elif found.vxlan != link or not found.up:
                await tally.write("changed", table.adjust(link))
    return tally.outcome()


def _same_tunnel(found: LinkInfo, link: VxlanLink) -> bool:
    """Whether *found* differs from *link* in nothing that needs a new link.

    The kernel can point a link at another group, but neither give it its first nor take its last.
    """
    there = found.vxlan
    if there is None or (there.group is None) != (link.group is None):
        return False
    return replace(there, mtu=link.mtu, mac=link.mac, group=link.group) == link


async def _recreate(table: LinkTable, link: VxlanLink) -> None:
    await table.delete(link.name)
    await table.create(link)


def _obstacle(link: VxlanLink, present: Iterable[LinkInfo]) -> InTheWay | None:
    """Somebody else's link with our link's name, or with its VXLAN id and port, which cannot be twice."""
    for found in present:
        if is_ours(found):
            continue
        kind = found.kind or "plain device"
        if found.name == link.name:
            return _in_the_way(f"interface {found.name} (kind {kind})", found.name)
        if found.vxlan is not None and (found.vxlan.vni, found.vxlan.port) == (link.vni, link.port):
            what = f"interface {found.name} (VXLAN id {link.vni} on UDP port {link.port}, as {link.name})"
            return _in_the_way(what, found.name)
    return None


def _in_the_way(what: str, name: str) -> InTheWay:
    return InTheWay(
        f"{what} is in the way: it was not made by Isthmus (no alias {ownership.LINK_ALIAS!r}); remove it "
        f"with `ip link del {name}` if nobody needs it"
    )

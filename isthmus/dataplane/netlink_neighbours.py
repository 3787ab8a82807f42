"""Permanent neighbour entries and VXLAN forwarding entries of the kernel over netlink.

To netlink both are neighbour messages; the forwarding database is the bridge family's.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from isthmus.dataplane.errors import Missing
from isthmus.dataplane.fdb import ZERO_MAC, FdbEntry
from isthmus.dataplane.neighbours import Neighbour
from isthmus.dataplane.netlink_links import KernelLinks
from isthmus.dataplane.netlink_session import Message, Session, attributes, index_of

NUD_PERMANENT = 0x80
NTF_SELF = 0x02


@dataclass(frozen=True, slots=True)
class KernelNeighbours:
    """`NeighbourTable` of one namespace."""

    session: Session

    async def dump(self, device: str) -> tuple[Neighbour, ...]:
        try:
            index = index_of(device)
        except Missing:
            return ()
        entries = [
            *await _permanent(self.session, index, socket.AF_INET),
            *await _permanent(self.session, index, socket.AF_INET6),
        ]
        return tuple(
            Neighbour(device, ip_address(values["NDA_DST"]), values["NDA_LLADDR"]) for values in entries
        )

    async def put(self, neighbour: Neighbour) -> None:
        request = self.session.socket.neigh("replace", **self._query(neighbour), lladdr=neighbour.mac)
        await self.session.write(f"set neighbour {neighbour.address} on {neighbour.device}", request)

    async def drop(self, neighbour: Neighbour) -> None:
        try:
            query = self._query(neighbour)
        except Missing:
            return
        what = f"remove neighbour {neighbour.address} from {neighbour.device}"
        await self.session.drop(what, self.session.socket.neigh("del", **query))

    def _query(self, neighbour: Neighbour) -> dict[str, Any]:
        return {"ifindex": index_of(neighbour.device), "dst": str(neighbour.address), "state": NUD_PERMANENT}


@dataclass(frozen=True, slots=True)
class KernelFdb:
    """`FdbTable` of one namespace."""

    session: Session

    async def dump(self, device: str) -> tuple[FdbEntry, ...]:
        try:
            index = index_of(device)
        except Missing:
            return ()
        links = await KernelLinks(self.session).dump()
        groups = [link.vxlan.group for link in links if link.name == device and link.vxlan]
        entries = [
            FdbEntry(device, values["NDA_LLADDR"], ip_address(values["NDA_DST"]))
            for values in await _permanent(self.session, index, socket.AF_BRIDGE)
            if "NDA_DST" in values
        ]
        return tuple(
            entry for entry in entries if not (entry.mac == ZERO_MAC and entry.destination in groups)
        )

    async def put(self, entry: FdbEntry) -> None:
        # Only the zero MAC takes several destinations, and only by appending.
        command = "append" if entry.mac == ZERO_MAC else "replace"
        request = self.session.socket.fdb(command, **self._query(entry))
        await self.session.put(f"add {entry.mac} behind {entry.destination} to {entry.device}", request)

    async def drop(self, entry: FdbEntry) -> None:
        try:
            query = self._query(entry)
        except Missing:
            return
        what = f"remove {entry.mac} behind {entry.destination} from {entry.device}"
        await self.session.drop(what, self.session.socket.fdb("del", **query))

    def _query(self, entry: FdbEntry) -> dict[str, Any]:
        return {
            "ifindex": index_of(entry.device),
            "lladdr": entry.mac,
            "dst": str(entry.destination),
            "state": NUD_PERMANENT,
            "flags": NTF_SELF,
        }


async def _permanent(session: Session, index: int, family: int) -> list[dict[str, Any]]:
    def is_ours(message: Message) -> bool:
        return bool(message["ifindex"] == index and message["state"] & NUD_PERMANENT)

    messages = await session.dump("neighbours", lambda: session.socket.neigh("dump", family=family))
    return [attributes(message) for message in messages if is_ours(message)]

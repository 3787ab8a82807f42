"""Links of the kernel over netlink."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from crds.meta import IPAddress
from isthmus.dataplane import ownership
from isthmus.dataplane.errors import Missing
from isthmus.dataplane.links import LinkInfo, VxlanLink
from isthmus.dataplane.netlink_session import Message, Session, attributes, index_of

IFF_UP = 1


@dataclass(frozen=True, slots=True)
class KernelLinks:
    """`LinkTable` of one namespace."""

    session: Session

    async def dump(self) -> tuple[LinkInfo, ...]:
        messages = await self.session.dump("links", lambda: self.session.socket.link("dump"))
        return tuple(_link(message) for message in messages)

    async def create(self, link: VxlanLink) -> None:
        """Make the link under a name of its own and give it alias and name in one step.

        The kernel takes no alias at creation; killed in between, we would find a link of our name that does
        not say that it is ours. A leftover of such a death is removed first.
        """
        await self.delete(ownership.UNBORN_LINK)
        ipr = self.session.socket
        what = f"create link {link.name}"
        await self.session.write(
            what,
            ipr.link("add", ifname=ownership.UNBORN_LINK, mtu=link.mtu, address=link.mac, **_tunnel(link)),
        )
        index = index_of(ownership.UNBORN_LINK)
        await self.session.write(
            what, ipr.link("set", index=index, ifname=link.name, ifalias=ownership.LINK_ALIAS)
        )
        await self.session.write(what, ipr.link("set", index=index, state="up"))

    async def adjust(self, link: VxlanLink) -> None:
        index = index_of(link.name)
        what = f"adjust link {link.name}"
        ipr = self.session.socket
        # The kernel refuses a change that merely repeats the port or the learning flag.
        moved = {"kind": "vxlan", "vxlan_id": link.vni, **_ends(link)}
        await self.session.write(what, ipr.link("set", index=index, **moved))
        await self.session.write(
            what, ipr.link("set", index=index, mtu=link.mtu, address=link.mac, state="up")
        )

    async def delete(self, name: str) -> None:
        try:
            index = index_of(name)
        except Missing:
            return
        await self.session.drop(f"delete link {name}", self.session.socket.link("del", index=index))


def _tunnel(link: VxlanLink) -> dict[str, Any]:
    """VXLAN attributes. No learning: a forged frame must not teach us where a node is."""
    return {
        "kind": "vxlan",
        "vxlan_id": link.vni,
        "vxlan_port": link.port,
        "vxlan_learning": 0,
        **_ends(link),
    }


def _ends(link: VxlanLink) -> dict[str, str]:
    suffix = "" if link.local.version == 4 else "6"
    ends = {f"vxlan_local{suffix}": str(link.local)}
    if link.group is not None:
        ends[f"vxlan_group{suffix}"] = str(link.group)
    return ends


def _link(message: Message) -> LinkInfo:
    values = attributes(message)
    info = attributes(values.get("IFLA_LINKINFO", {}))
    name = values["IFLA_IFNAME"]
    mtu = values.get("IFLA_MTU", 0)
    mac = values.get("IFLA_ADDRESS") or ""
    kind = info.get("IFLA_INFO_KIND") or ""
    return LinkInfo(
        name=name,
        index=message["index"],
        kind=kind,
        mtu=mtu,
        up=bool(message["flags"] & IFF_UP),
        alias=values.get("IFLA_IFALIAS") or "",
        mac=mac,
        vxlan=_vxlan(name, mtu, mac, attributes(info["IFLA_INFO_DATA"])) if kind == "vxlan" else None,
    )


def _vxlan(name: str, mtu: int, mac: str, data: dict[str, Any]) -> VxlanLink:
    return VxlanLink(
        name=name,
        vni=data["IFLA_VXLAN_ID"],
        port=data["IFLA_VXLAN_PORT"],
        mtu=mtu,
        local=_end(data, "LOCAL") or ip_address("0.0.0.0"),
        group=_end(data, "GROUP"),
        mac=mac,
    )


def _end(data: dict[str, Any], which: str) -> IPAddress | None:
    text = data.get(f"IFLA_VXLAN_{which}") or data.get(f"IFLA_VXLAN_{which}6")
    return ip_address(text) if text else None

"""A host to try drivers on, in memory or in a private namespace: the same objects in both.

`eth0` (192.0.2.1/24, 2001:db8::1/64) leads to the default routes; `cni0` holds 10.0.1.1/24. Both are somebody
else's, and so is whatever a test adds with the methods here.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Protocol

from isthmus.dataplane.netlink import kernel_netlink
from isthmus.dataplane.routes import Route
from isthmus.dataplane.rules import PolicyRule
from isthmus.dataplane.tables import Netlink
from tests.fakes.netlink import FakeKernel, fake_netlink
from tests.netns import private_namespace, run


class World(Protocol):
    """What a contract test may do besides using the tables."""

    netlink: Netlink

    def foreign_link(self, name: str, kind: str = "veth") -> None:
        """Make a link without our alias."""

    def foreign_address(self, device: str, text: str) -> None:
        """Add an address without our label."""

    def foreign_route(self, dst: str, table: int, device: str) -> None:
        """Add a route with protocol static."""

    def foreign_rule(self, priority: int, table: int) -> None:
        """Add a policy rule with protocol boot or none."""

    def remove_link(self, name: str) -> None:
        """Delete a link behind the driver's back."""

    def set_down(self, name: str) -> None:
        """Set a link down behind the driver's back."""

    def state(self) -> object:
        """All there is, comparable; indexes of links left out."""


@dataclass
class FakeWorld:
    kernel: FakeKernel = field(default_factory=FakeKernel)
    netlink: Netlink = field(init=False)

    def __post_init__(self) -> None:
        self.netlink = fake_netlink(self.kernel)
        self.kernel.add_device("eth0", kind="veth")
        self.kernel.add_device("cni0", kind="veth")
        for device, text in (("eth0", "192.0.2.1/24"), ("cni0", "10.0.1.1/24"), ("eth0", "2001:db8::1/64")):
            self.kernel.add_address(device, text)
        for dst, via in (("0.0.0.0/0", "192.0.2.254"), ("::/0", "2001:db8::fe")):
            self.kernel.add_route(Route(ip_network(dst), 254, device="eth0", via=ip_address(via)))

    def foreign_link(self, name: str, kind: str = "veth") -> None:
        self.kernel.add_device(name, kind=kind)

    def foreign_address(self, device: str, text: str) -> None:
        self.kernel.add_address(device, text)

    def foreign_route(self, dst: str, table: int, device: str) -> None:
        self.kernel.add_route(Route(ip_network(dst), table, device=device))

    def foreign_rule(self, priority: int, table: int) -> None:
        self.kernel.rules.append((3, PolicyRule(priority, table, 4)))

    def remove_link(self, name: str) -> None:
        self.kernel.remove_link(name)

    def set_down(self, name: str) -> None:
        self.kernel.set_down(name)

    def state(self) -> object:
        kernel = self.kernel
        return {
            "links": sorted(
                str((link.name, link.vxlan, link.mtu, link.alias)) for link in kernel.links.values()
            ),
            "addresses": sorted(map(str, kernel.addresses)),
            "neighbours": sorted(map(str, kernel.neighbours.values())),
            "fdb": sorted(map(str, kernel.fdb)),
            "routes": sorted(map(str, kernel.routes)),
            "rules": sorted(map(str, kernel.rules)),
        }


def _settled(link: str) -> str:
    """A link without what the kernel finds out about its carrier after a while."""
    return re.sub(r"NO-CARRIER,|,LOWER_UP|,M-DOWN| qdisc \w+| state \w+", "", link)


@dataclass
class KernelWorld:
    netlink: Netlink

    def foreign_link(self, name: str, kind: str = "veth") -> None:
        if kind == "vxlan":
            run("ip", "link", "add", name, "type", "vxlan", "id", "7", "dstport", "4790")
        else:
            run("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}-p")
            run("ip", "link", "set", f"{name}-p", "up")
        run("ip", "link", "set", name, "up")

    def foreign_address(self, device: str, text: str) -> None:
        run("ip", "address", "add", text, "dev", device, "nodad")

    def foreign_route(self, dst: str, table: int, device: str) -> None:
        run("ip", "route", "add", dst, "dev", device, "table", str(table), "proto", "static")

    def foreign_rule(self, priority: int, table: int) -> None:
        run("ip", "rule", "add", "priority", str(priority), "table", str(table))

    def remove_link(self, name: str) -> None:
        run("ip", "link", "del", name)

    def set_down(self, name: str) -> None:
        run("ip", "link", "set", name, "down")

    def state(self) -> object:
        return {
            "links": [
                _settled(line.split(": ", 1)[-1]) for line in run("ip", "-d", "-o", "link").splitlines()
            ],
            "addresses": sorted(
                line.split(": ", 1)[-1]
                for line in run("ip", "-o", "address").splitlines()
                # The kernel derives an IPv6 link-local address from the MAC of a link, after a while.
                if " fe80::" not in line
            ),
            "neighbours": sorted(run("ip", "neigh", "show", "nud", "permanent").splitlines()),
            "fdb": sorted(line for line in run("bridge", "fdb").splitlines() if " dst " in line),
            "routes": _lines("-4", "route", "show", "table", "all")
            + _lines("-6", "route", "show", "table", "all"),
            "rules": _lines("rule") + _lines("-6", "rule"),
        }


def _lines(*arguments: str) -> list[str]:
    return sorted(line for line in run("ip", *arguments).splitlines() if "fe80::" not in line)


@asynccontextmanager
async def world(where: str) -> AsyncIterator[World]:
    """The world in memory for "fake", in a namespace for "kernel"."""
    if where == "fake":
        yield FakeWorld()
        return
    with private_namespace():
        async with kernel_netlink() as netlink:
            made = KernelWorld(netlink)
            for device in ("eth0", "cni0"):
                made.foreign_link(device)
            made.foreign_address("eth0", "192.0.2.1/24")
            made.foreign_address("cni0", "10.0.1.1/24")
            made.foreign_address("eth0", "2001:db8::1/64")
            run("ip", "route", "add", "default", "via", "192.0.2.254")
            run("ip", "-6", "route", "add", "default", "via", "2001:db8::fe")
            yield made

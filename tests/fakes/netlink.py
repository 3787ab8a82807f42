"""A kernel's networking tables in memory, with the kernel's own rules where drivers depend on them.

A route needs a device that exists and is up, a next hop that a connected network covers, and a source address
that the host has; deleting a link takes its addresses, routes, neighbours and forwarding entries with it.
`tests/contract/test_netlink.py` holds this and the real kernel to the same tests.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from ipaddress import ip_interface

from crds.meta import Family, IPAddress
from isthmus.dataplane import ownership
from isthmus.dataplane.addresses import Address
from isthmus.dataplane.errors import Exists, KernelRefused, Missing
from isthmus.dataplane.fdb import ZERO_MAC, FdbEntry
from isthmus.dataplane.links import LinkInfo, VxlanLink
from isthmus.dataplane.neighbours import Neighbour
from isthmus.dataplane.routes import MAIN_TABLE, Route, RouteType
from isthmus.dataplane.rules import PolicyRule
from isthmus.dataplane.tables import Netlink
from isthmus.dataplane.uplink import Uplink
from isthmus.reconcile.errors import Transient


@dataclass(slots=True)
class FakeKernel:
    """The state behind the fake tables, and what a test wants of it."""

    links: dict[str, LinkInfo] = field(default_factory=dict)
    addresses: list[Address] = field(default_factory=list)
    neighbours: dict[tuple[str, IPAddress], Neighbour] = field(default_factory=dict)
    fdb: list[FdbEntry] = field(default_factory=list)
    routes: list[tuple[int, Route]] = field(default_factory=list)
    """Routes with their protocol."""
    rules: list[tuple[int, PolicyRule]] = field(default_factory=list)
    """Policy rules with their protocol."""
    writes: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, Transient]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def fail_next(self, operation: str, error: Transient) -> None:
        """Refuse the next *operation*, such as "routes.add" or "links.dump", with *error*."""
        self.failures.append((operation, error))

    def add_device(self, name: str, *, mtu: int = 1500, kind: str = "", alias: str = "") -> None:
        """A link of somebody else, up."""
        index = len(self.links) + 2
        self.links[name] = LinkInfo(name, index, kind, mtu, True, alias, f"02:00:00:00:00:{index:02x}")

    def add_address(self, device: str, text: str) -> None:
        """An address of somebody else, as in "10.0.0.1/24"."""
        self.addresses.append(Address(device, ip_interface(text)))

    def add_route(self, route: Route, protocol: int = 4) -> None:
        """A route of somebody else."""
        self.routes.append((protocol, route))

    def remove_link(self, name: str) -> None:
        """Take the link and all that stands on it."""
        self.links.pop(name, None)
        self.addresses = [address for address in self.addresses if address.device != name]
        self.neighbours = {key: entry for key, entry in self.neighbours.items() if key[0] != name}
        self.fdb = [entry for entry in self.fdb if entry.device != name]
        self.routes = [(protocol, route) for protocol, route in self.routes if route.device != name]
        self.news.set()

    def set_down(self, name: str) -> None:
        """Set a link down: its routes go, its addresses stay."""
        self.links[name] = replace(self.links[name], up=False)
        self.routes = [(protocol, route) for protocol, route in self.routes if route.device != name]
        self.news.set()

    def start(self, operation: str) -> None:
        """Note an operation and refuse it if a test asked for that."""
        for position, (name, error) in enumerate(self.failures):
            if name == operation:
                del self.failures[position]
                raise error
        if not operation.endswith((".dump", ".best")):
            self.writes[operation] += 1
            self.news.set()

    def require(self, device: str) -> LinkInfo:
        """The link, or the kernel's refusal."""
        if device not in self.links:
            raise Missing(f"interface {device} does not exist")
        return self.links[device]

    def has_address(self, address: IPAddress) -> bool:
        return any(address == held.interface.ip for held in self.addresses)

    def reaches(self, hop: IPAddress, device: str | None) -> str | None:
        """The device on whose connected network *hop* lies."""
        for held in self.addresses:
            if held.interface.version != hop.version or (device and held.device != device):
                continue
            if hop in held.interface.network:
                return held.device
        return None


@dataclass(frozen=True, slots=True)
class FakeLinks:
    kernel: FakeKernel

    async def dump(self) -> tuple[LinkInfo, ...]:
        self.kernel.start("links.dump")
        return tuple(self.kernel.links.values())

    async def create(self, link: VxlanLink) -> None:
        self.kernel.start("links.create")
        taken = {(there.vni, there.port) for there in self._tunnels()}
        if link.name in self.kernel.links or (link.vni, link.port) in taken:
            raise Exists(f"cannot create link {link.name}: there is one already")
        index = len(self.kernel.links) + 2
        self.kernel.links[link.name] = LinkInfo(
            link.name, index, "vxlan", link.mtu, True, ownership.LINK_ALIAS, link.mac, link
        )

    async def adjust(self, link: VxlanLink) -> None:
        self.kernel.start("links.adjust")
        found = self.kernel.require(link.name)
        assert found.vxlan is not None
        vxlan = replace(found.vxlan, mtu=link.mtu, mac=link.mac, group=link.group)
        self.kernel.links[link.name] = replace(found, mtu=link.mtu, mac=link.mac, up=True, vxlan=vxlan)

    async def delete(self, name: str) -> None:
        self.kernel.start("links.delete")
        self.kernel.remove_link(name)

    def _tunnels(self) -> list[VxlanLink]:
        return [link.vxlan for link in self.kernel.links.values() if link.vxlan]


@dataclass(frozen=True, slots=True)
class FakeAddresses:
    kernel: FakeKernel

    async def dump(self) -> tuple[Address, ...]:
        self.kernel.start("addresses.dump")
        return tuple(self.kernel.addresses)

    async def put(self, address: Address) -> None:
        self.kernel.start("addresses.put")
        self.kernel.require(address.device)
        if not any(_place(held) == _place(address) for held in self.kernel.addresses):
            self.kernel.addresses.append(address)

    async def drop(self, address: Address) -> None:
        self.kernel.start("addresses.drop")
        kernel = self.kernel
        if address not in kernel.addresses:
            return
        position = kernel.addresses.index(address)
        is_primary = not any(_network(held) == _network(address) for held in kernel.addresses[:position])
        kernel.addresses = [
            held
            for held in kernel.addresses
            if held != address and not (is_primary and _network(held) == _network(address))
        ]
        kernel.routes = [
            (protocol, route)
            for protocol, route in kernel.routes
            if route.source is None or kernel.has_address(route.source)
        ]


def _network(address: Address) -> tuple[object, ...]:
    """Addresses that agree in this go together with the first of them; IPv6 has no such rule."""
    interface = address.interface
    return address.device, interface.network if interface.version == 4 else interface


def _place(address: Address) -> tuple[object, ...]:
    return address.device, address.interface


@dataclass(frozen=True, slots=True)
class FakeNeighbours:
    kernel: FakeKernel

    async def dump(self, device: str) -> tuple[Neighbour, ...]:
        self.kernel.start("neighbours.dump")
        return tuple(entry for entry in self.kernel.neighbours.values() if entry.device == device)

    async def put(self, neighbour: Neighbour) -> None:
        self.kernel.start("neighbours.put")
        self.kernel.require(neighbour.device)
        self.kernel.neighbours[neighbour.device, neighbour.address] = neighbour

    async def drop(self, neighbour: Neighbour) -> None:
        self.kernel.start("neighbours.drop")
        self.kernel.neighbours.pop((neighbour.device, neighbour.address), None)


@dataclass(frozen=True, slots=True)
class FakeFdb:
    kernel: FakeKernel

    async def dump(self, device: str) -> tuple[FdbEntry, ...]:
        self.kernel.start("fdb.dump")
        return tuple(entry for entry in self.kernel.fdb if entry.device == device)

    async def put(self, entry: FdbEntry) -> None:
        self.kernel.start("fdb.put")
        self.kernel.require(entry.device)
        if entry.mac != ZERO_MAC:
            self.kernel.fdb = [
                held for held in self.kernel.fdb if (held.device, held.mac) != (entry.device, entry.mac)
            ]
        if entry not in self.kernel.fdb:
            self.kernel.fdb.append(entry)

    async def drop(self, entry: FdbEntry) -> None:
        self.kernel.start("fdb.drop")
        self.kernel.fdb = [held for held in self.kernel.fdb if held != entry]


@dataclass(frozen=True, slots=True)
class FakeRoutes:
    kernel: FakeKernel

    async def dump(self, family: Family, table: int) -> tuple[Route, ...]:
        self.kernel.start("routes.dump")
        return tuple(
            route
            for protocol, route in self.kernel.routes
            if protocol == ownership.ROUTE_PROTOCOL and route.table == table and route.dst.version == family
        )

    async def add(self, route: Route) -> None:
        self.kernel.start("routes.add")
        placed = self._placed(route)
        if any(_key(held) == _key(route) for _, held in self.kernel.routes):
            raise Exists(f"cannot add route {route.dst}: there is one already")
        self.kernel.routes.append((ownership.ROUTE_PROTOCOL, placed))

    async def replace(self, route: Route) -> None:
        self.kernel.start("routes.replace")
        placed = self._placed(route)
        self.kernel.routes = [item for item in self.kernel.routes if _key(item[1]) != _key(route)]
        self.kernel.routes.append((ownership.ROUTE_PROTOCOL, placed))

    async def drop(self, route: Route) -> None:
        self.kernel.start("routes.drop")
        self.kernel.routes = [
            item for item in self.kernel.routes if item != (ownership.ROUTE_PROTOCOL, route)
        ]

    def _placed(self, route: Route) -> Route:
        """The route as the kernel will show it, or its refusal."""
        if route.source and not self.kernel.has_address(route.source):
            raise KernelRefused(f"cannot add route {route.dst}: invalid argument (errno 22)")
        if route.kind is not RouteType.UNICAST:
            return route
        device = route.device
        if device is not None and not self.kernel.require(device).up:
            raise KernelRefused(f"cannot add route {route.dst}: network is down (errno 100)")
        if route.via is not None and not route.onlink:
            device = self.kernel.reaches(route.via, device)
        if device is None:
            raise KernelRefused(f"cannot add route {route.dst}: network is unreachable (errno 101)")
        return replace(route, device=device)


def _key(route: Route) -> tuple[object, ...]:
    return route.table, route.dst, route.metric


@dataclass(frozen=True, slots=True)
class FakeRules:
    kernel: FakeKernel

    async def dump(self, family: Family) -> tuple[PolicyRule, ...]:
        self.kernel.start("rules.dump")
        return tuple(
            rule
            for protocol, rule in self.kernel.rules
            if protocol == ownership.RULE_PROTOCOL and rule.family == family
        )

    async def put(self, rule: PolicyRule) -> None:
        self.kernel.start("rules.put")
        if (ownership.RULE_PROTOCOL, rule) not in self.kernel.rules:
            self.kernel.rules.append((ownership.RULE_PROTOCOL, rule))

    async def drop(self, rule: PolicyRule) -> None:
        self.kernel.start("rules.drop")
        self.kernel.rules = [item for item in self.kernel.rules if item != (ownership.RULE_PROTOCOL, rule)]


@dataclass(frozen=True, slots=True)
class FakeUplinks:
    kernel: FakeKernel

    async def best(self, family: Family) -> Uplink | None:
        self.kernel.start("uplinks.best")
        defaults = [
            route
            for _, route in self.kernel.routes
            if route.table == MAIN_TABLE and route.dst.version == family and route.dst.prefixlen == 0
        ]
        if not defaults:
            return None
        best = min(defaults, key=lambda route: route.metric)
        assert best.device is not None
        return Uplink(best.device, best.via, best.source or self._source(best, family))

    def _source(self, route: Route, family: Family) -> IPAddress | None:
        held = [
            address.interface
            for address in self.kernel.addresses
            if address.device == route.device and address.interface.version == family
        ]
        near = [interface for interface in held if route.via and route.via in interface.network]
        return next((interface.ip for interface in [*near, *held]), None)


@dataclass(frozen=True, slots=True)
class FakeFeed:
    kernel: FakeKernel

    async def changes(self) -> AsyncGenerator[None, None]:
        while True:
            await self.kernel.news.wait()
            self.kernel.news.clear()
            yield


def fake_netlink(kernel: FakeKernel) -> Netlink:
    """The tables of *kernel*."""
    return Netlink(
        links=FakeLinks(kernel),
        addresses=FakeAddresses(kernel),
        neighbours=FakeNeighbours(kernel),
        fdb=FakeFdb(kernel),
        routes=FakeRoutes(kernel),
        rules=FakeRules(kernel),
        uplinks=FakeUplinks(kernel),
        feed=FakeFeed(kernel),
    )

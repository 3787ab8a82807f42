"""Routes, policy rules and the default route of the kernel over netlink."""

from __future__ import annotations

import socket
from collections.abc import Awaitable
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from typing import Any, cast

from pyroute2.netlink.nlsocket import NetlinkRequest
from pyroute2.netlink.rtnl import RTM_GETROUTE
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from crds.meta import Family, IPAddress, IPNetwork
from isthmus.dataplane import ownership
from isthmus.dataplane.errors import Missing
from isthmus.dataplane.netlink_session import Message, Session, attributes, index_of, names_of_links
from isthmus.dataplane.routes import MAIN_TABLE, Route, RouteType
from isthmus.dataplane.rules import PolicyRule
from isthmus.dataplane.uplink import Uplink

AF: dict[int, int] = {4: socket.AF_INET, 6: socket.AF_INET6}
ANYWHERE: dict[int, IPNetwork] = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}
RTNH_F_ONLINK = 4
RT_SCOPE_UNIVERSE = 0
RT_SCOPE_LINK = 253
ROUTE_TYPES = {
    RouteType.UNICAST: 1,
    RouteType.BLACKHOLE: 6,
    RouteType.UNREACHABLE: 7,
    RouteType.THROW: 9,
}
KINDS = {number: kind for kind, number in ROUTE_TYPES.items()}


@dataclass(frozen=True, slots=True)
class KernelRoutes:
    """`RouteTable` of one namespace."""

    session: Session

    async def dump(self, family: Family, table: int) -> tuple[Route, ...]:
        messages = await _dump_routes(self.session, family, table, ownership.ROUTE_PROTOCOL)
        names = names_of_links()
        return tuple(_route(message, family, names) for message in messages)

    async def add(self, route: Route) -> None:
        await self.session.write(_what("add", route), self._send("add", route))

    async def replace(self, route: Route) -> None:
        await self.session.write(_what("replace", route), self._send("replace", route))

    async def drop(self, route: Route) -> None:
        try:
            request = self._send("del", route)
        except Missing:
            return
        await self.session.drop(_what("remove", route), request)

    def _send(self, command: str, route: Route) -> Awaitable[Any]:
        return cast("Awaitable[Any]", self.session.socket.route(command, **_query(route)))


@dataclass(frozen=True, slots=True)
class KernelRules:
    """`RuleTable` of one namespace."""

    session: Session

    async def dump(self, family: Family) -> tuple[PolicyRule, ...]:
        messages = await self.session.dump(
            "policy rules", lambda: self.session.socket.rule("dump", family=AF[family])
        )
        rules = [(message, attributes(message)) for message in messages]
        return tuple(
            _rule(message, values, family)
            for message, values in rules
            if values.get("FRA_PROTOCOL") == ownership.RULE_PROTOCOL
        )

    async def put(self, rule: PolicyRule) -> None:
        request = self.session.socket.rule("add", **_rule_query(rule))
        await self.session.put(f"add rule {rule.priority} to table {rule.table}", request)

    async def drop(self, rule: PolicyRule) -> None:
        request = self.session.socket.rule("del", **_rule_query(rule))
        await self.session.drop(f"remove rule {rule.priority} to table {rule.table}", request)


@dataclass(frozen=True, slots=True)
class KernelUplinks:
    """`UplinkTable` of one namespace."""

    session: Session

    async def best(self, family: Family) -> Uplink | None:
        messages = await _dump_routes(self.session, family, MAIN_TABLE)
        defaults = [
            _first_hop(attributes(message))
            for message in messages
            if message["dst_len"] == 0 and message["type"] == ROUTE_TYPES[RouteType.UNICAST]
        ]
        if not defaults:
            return None
        values = min(defaults, key=lambda values: cast("int", values.get("RTA_PRIORITY", 0)))
        device = names_of_links().get(values.get("RTA_OIF", 0))
        if device is None:
            return None  # it went between the two reads
        via = _ip(values.get("RTA_GATEWAY"))
        source = _ip(values.get("RTA_PREFSRC")) or await self._source(family, device, via)
        return Uplink(device, via, source)

    async def _source(self, family: Family, device: str, via: IPAddress | None) -> IPAddress | None:
        """The device's address in the network of the next hop, or else its first, as the kernel chooses.

        The kernel is not asked for a route to the next hop: towards a link-local one, as IPv6 routers have,
        it would name a link-local source, and routes of ours should have no say in it.
        """
        messages = await self.session.dump(
            "addresses", lambda: self.session.socket.addr("dump", family=AF[family])
        )
        index = index_of(device)
        held = [_interface(message) for message in messages if message["index"] == index]
        usable = [interface for interface in held if not interface.is_link_local]
        near = [interface for interface in usable if via is not None and via in interface.network]
        return next((interface.ip for interface in [*near, *usable]), None)


def _interface(message: Message) -> IPv4Interface | IPv6Interface:
    values = attributes(message)
    return ip_interface(f"{values.get('IFA_LOCAL') or values['IFA_ADDRESS']}/{message['prefixlen']}")


def _first_hop(values: dict[str, Any]) -> dict[str, Any]:
    """A route over several hops as if it had only its first."""
    hops = values.get("RTA_MULTIPATH")
    if not hops:
        return values
    return {**values, "RTA_OIF": hops[0]["oif"], **attributes(hops[0])}


async def _dump_routes(session: Session, family: Family, table: int, protocol: int = 0) -> list[Message]:
    """Dump one table, filtered by the kernel: a host may carry a full table of somebody else's routes."""

    async def request() -> Any:
        message = rtmsg()
        asked = NetlinkRequest(session.socket, message, "dump", {"dump": (RTM_GETROUTE, "dump")})
        message["family"] = AF[family]
        message["proto"] = protocol
        message["attrs"].append(["RTA_TABLE", table])
        await asked.send()
        return asked.response()

    try:
        return await session.dump(f"routes of table {table}", request)
    except Missing:
        return []  # the kernel makes a table with its first route


def _what(verb: str, route: Route) -> str:
    return f"{verb} {route.kind} route {route.dst} in table {route.table}"


def _query(route: Route) -> dict[str, Any]:
    """The attributes of *route*; all of them also for a removal, so that it can hit nothing else."""
    direct = route.device is not None and route.via is None
    query: dict[str, Any] = {
        "family": AF[route.dst.version],
        "dst": str(route.dst.network_address),
        "dst_len": route.dst.prefixlen,
        "table": route.table,
        "proto": ownership.ROUTE_PROTOCOL,
        "type": ROUTE_TYPES[route.kind],
        "scope": RT_SCOPE_LINK if direct and route.dst.version == 4 else RT_SCOPE_UNIVERSE,
        "priority": route.metric,
        "flags": RTNH_F_ONLINK if route.onlink else 0,
    }
    if route.device is not None:
        query["oif"] = index_of(route.device)
    if route.via is not None:
        query["gateway"] = str(route.via)
    if route.source is not None:
        query["prefsrc"] = str(route.source)
    return query


def _route(message: Message, family: Family, names: dict[int, str]) -> Route:
    values = attributes(message)
    kind = KINDS.get(message["type"], RouteType.UNICAST)
    is_unicast = kind is RouteType.UNICAST
    dst = values.get("RTA_DST")
    return Route(
        dst=ip_network(f"{dst}/{message['dst_len']}") if dst else ANYWHERE[family],
        table=values.get("RTA_TABLE", message["table"]),
        metric=values.get("RTA_PRIORITY", 0),
        # IPv6 shows its unreachable routes on lo.
        device=names.get(values.get("RTA_OIF", 0)) if is_unicast else None,
        via=_ip(values.get("RTA_GATEWAY")) if is_unicast else None,
        source=_ip(values.get("RTA_PREFSRC")),
        kind=kind,
        onlink=is_unicast and bool(message["flags"] & RTNH_F_ONLINK),
    )


def _rule_query(rule: PolicyRule) -> dict[str, Any]:
    query: dict[str, Any] = {
        "family": AF[rule.family],
        "priority": rule.priority,
        "table": rule.table,
        # pyroute2 takes `proto=` as well, and ignores it.
        "protocol": ownership.RULE_PROTOCOL,
    }
    for name, network in (("src", rule.source), ("dst", rule.destination)):
        if network is not None:
            query[name] = str(network.network_address)
            query[f"{name}_len"] = network.prefixlen
    return query


def _rule(message: Message, values: dict[str, Any], family: Family) -> PolicyRule:
    def network(name: str) -> IPNetwork | None:
        address = values.get(f"FRA_{name.upper()}")
        return ip_network(f"{address}/{message[f'{name}_len']}") if address else None

    return PolicyRule(
        priority=values.get("FRA_PRIORITY", 0),
        table=values.get("FRA_TABLE", message["table"]),
        family=family,
        source=network("src"),
        destination=network("dst"),
    )


def _ip(text: str | None) -> IPAddress | None:
    return ip_address(text) if text else None

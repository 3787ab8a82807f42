"""Prints records as lines of `ip`, `bridge`, `ipset`, `sysctl` and iptables that readers know.

For people and for whole-text tests of plans. The lines would do by hand what the drivers do over netlink;
they are deterministic, one object a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from isthmus.dataplane import ipset, ownership
from isthmus.dataplane.addresses import Address
from isthmus.dataplane.fdb import FdbEntry
from isthmus.dataplane.iptables.render import render_ruleset as render_iptables
from isthmus.dataplane.links import VxlanLink
from isthmus.dataplane.neighbours import Neighbour
from isthmus.dataplane.routes import Route, RouteType
from isthmus.dataplane.rules import PolicyRule
from isthmus.dataplane.ruleset import Ruleset

IP = {4: "ip", 6: "ip -6"}


def render_link(link: VxlanLink) -> str:
    """`ip link add … type vxlan …` with what the driver sets after it."""
    group = f" remote {link.group}" if link.group is not None else ""
    return (
        f"ip link add {link.name} address {link.mac} mtu {link.mtu} alias {ownership.LINK_ALIAS} "
        f"type vxlan id {link.vni} local {link.local}{group} dstport {link.port} nolearning"
    )


def render_address(address: Address) -> str:
    """`ip address replace …`."""
    label = f" label {address.label}" if address.label else ""
    return f"ip address replace {address.interface} dev {address.device}{label}"


def render_neighbour(neighbour: Neighbour) -> str:
    """`ip neigh replace …`."""
    return f"ip neigh replace {neighbour.address} lladdr {neighbour.mac} dev {neighbour.device} nud permanent"


def render_fdb_entry(entry: FdbEntry) -> str:
    """`bridge fdb append …`."""
    return f"bridge fdb append {entry.mac} dev {entry.device} dst {entry.destination} self permanent"


def render_route(route: Route) -> str:
    """`ip route replace …`."""
    kind = "" if route.kind is RouteType.UNICAST else f"{route.kind} "
    parts = [f"{IP[route.dst.version]} route replace {kind}{route.dst}"]
    if route.via is not None:
        parts.append(f"via {route.via}")
    if route.device is not None:
        parts.append(f"dev {route.device}")
    parts.append(f"table {route.table} proto {ownership.ROUTE_PROTOCOL}")
    if route.metric:
        parts.append(f"metric {route.metric}")
    if route.source is not None:
        parts.append(f"src {route.source}")
    if route.onlink:
        parts.append("onlink")
    return " ".join(parts)


def render_policy_rule(rule: PolicyRule) -> str:
    """`ip rule add …`."""
    source = rule.source or "all"
    destination = f" to {rule.destination}" if rule.destination is not None else ""
    return (
        f"{IP[rule.family]} rule add priority {rule.priority} from {source}{destination} "
        f"lookup {rule.table} protocol {ownership.RULE_PROTOCOL}"
    )


def render_ruleset(ruleset: Ruleset) -> str:
    """The sets as `ipset` lines and the rest as one text for `iptables-restore --noflush`."""
    sets = "".join(f"ipset {line}\n" for one in ruleset.sets for line in ipset.render_set(one))
    return sets + render_iptables(ruleset)


def render_sysctls(settings: Mapping[str, str]) -> list[str]:
    """`sysctl -w …` lines in the order of their keys."""
    return [f"sysctl -w {key}={value}" for key, value in sorted(settings.items())]


def render_routes(routes: Iterable[Route]) -> list[str]:
    """The routes' lines by family, table, destination and metric."""

    def order(route: Route) -> tuple[int, int, int, int, int]:
        dst = route.dst
        return dst.version, route.table, int(dst.network_address), dst.prefixlen, route.metric

    return [render_route(route) for route in sorted(routes, key=order)]

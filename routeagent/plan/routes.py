"""Where packets for remote subnets go, and that they go nowhere else.

Behind each route to a remote subnet stands an unreachable one with a worse metric. When the first one goes
away together with its device (charon's TUN device dies with charon), the second keeps packets from following
the default route in the clear.
"""

from __future__ import annotations

from ipaddress import ip_network

from crds.meta import Family, IPAddress, IPNetwork
from isthmus.dataplane.ownership import GATEWAY_TABLE, RULE_PRIORITY, VXLAN_LINK
from isthmus.dataplane.routes import MAIN_TABLE, Route, RouteType
from isthmus.dataplane.rules import PolicyRule
from routeagent.plan.overlay import vtep
from routeagent.plan.remote import Remote
from routeagent.plan.role import Detached, Gateway, Role, Worker
from routeagent.snapshot import Snapshot

TABLES = (MAIN_TABLE, GATEWAY_TABLE)
"""Every table that may hold routes of ours, in any role."""

TUNNEL_METRIC = 50
FALLBACK_METRIC = 15000
"""Metrics of our own two kinds of route; neither is a value that the kernel or a DHCP client gives."""


def plan_routes(snapshot: Snapshot, remote: Remote, role: Role, family: Family) -> tuple[Route, ...]:
    """Routes of the one table that decides in this role: the gateway's own, or else the main one."""
    source = _source(snapshot, family)
    table = GATEWAY_TABLE if isinstance(role, Gateway) else MAIN_TABLE
    fallbacks = tuple(_fallback(subnet, table) for subnet in remote.all)
    match role:
        case Worker(gateway):
            via = vtep(gateway)
            return fallbacks + tuple(
                Route(subnet, table, TUNNEL_METRIC, VXLAN_LINK, via, source, onlink=True)
                for subnet in remote.subnets
            )
        case Gateway(cable):
            # Without a device of the tunnel's own, IPsec policies of the kernel take the packet, whatever
            # device its route names. Ours names the overlay, where no neighbour of that address exists: a
            # packet that no policy takes dies there instead of leaving in the clear.
            device = cable or VXLAN_LINK
            return (
                *fallbacks,
                *(Route(subnet, table, TUNNEL_METRIC, device, None, source) for subnet in remote.subnets),
                *(_exception(address) for address in remote.gateways),
            )
        case Detached():
            return fallbacks


def plan_rules(role: Role, family: Family) -> tuple[PolicyRule, ...]:
    """The gateway's table comes before the main one; other nodes need no rule."""
    return (PolicyRule(RULE_PRIORITY, GATEWAY_TABLE, family),) if isinstance(role, Gateway) else ()


def _source(snapshot: Snapshot, family: Family) -> IPAddress | None:
    """The host's own packets get the CNI's address: it is the one that the remote side has a way back to."""
    address = snapshot.host.cni_address
    return address if address is not None and address.version == family else None


def _fallback(subnet: IPNetwork, table: int) -> Route:
    return Route(subnet, table, FALLBACK_METRIC, kind=RouteType.UNREACHABLE)


def _exception(address: IPAddress) -> Route:
    """Encrypted packets to a peer's gateway must not be routed into the tunnel that they are made of."""
    return Route(ip_network(address), GATEWAY_TABLE, TUNNEL_METRIC, kind=RouteType.THROW)

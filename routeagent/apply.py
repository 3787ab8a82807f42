"""The order in which a node's plan reaches the kernel.

What closes comes before what opens: the guard stands before the first route, and it goes last. Within a step
additions come before removals, between steps what is referred to before what refers to it. A step that fails
does not stop those that do not depend on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from crds.meta import Family
from isthmus.dataplane import ownership
from isthmus.dataplane.addresses import sync_addresses
from isthmus.dataplane.fdb import sync_fdb
from isthmus.dataplane.iptables.driver import sync_ruleset
from isthmus.dataplane.links import LinkInfo, is_ours, sync_links
from isthmus.dataplane.neighbours import sync_neighbours
from isthmus.dataplane.routes import sync_routes
from isthmus.dataplane.rules import sync_rules
from isthmus.dataplane.ruleset import PacketFilter
from isthmus.dataplane.sysctl import Originals, Sysctl, sync_sysctls
from isthmus.dataplane.tables import Netlink
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome
from routeagent.plan.node import NodePlan, empty_plan
from routeagent.plan.readiness import ready_part
from routeagent.plan.routes import TABLES


@dataclass(frozen=True, slots=True)
class Host:
    """The node's kernel, through its boundaries."""

    netlink: Netlink
    packet_filter: PacketFilter
    sysctl: Sysctl
    originals: Originals


@dataclass(frozen=True, slots=True)
class Applied:
    """What each step did, and which devices the rest of the plan waits for."""

    outcomes: tuple[Outcome, ...]
    waiting: tuple[str, ...] = ()


Step = Callable[[Host, NodePlan], Awaitable[Outcome]]


async def _ruleset(host: Host, plan: NodePlan) -> Outcome:
    return await sync_ruleset(host.packet_filter, plan.ruleset)


async def _links(host: Host, plan: NodePlan) -> Outcome:
    return await sync_links(host.netlink.links, plan.links)


async def _addresses(host: Host, plan: NodePlan) -> Outcome:
    return await sync_addresses(host.netlink.addresses, plan.addresses, ownership.VXLAN_LINK)


async def _neighbours(host: Host, plan: NodePlan) -> Outcome:
    return await sync_neighbours(host.netlink.neighbours, plan.neighbours, ownership.VXLAN_LINK)


async def _fdb(host: Host, plan: NodePlan) -> Outcome:
    return await sync_fdb(host.netlink.fdb, plan.fdb, ownership.VXLAN_LINK)


async def _settings(host: Host, plan: NodePlan) -> Outcome:
    return sync_sysctls(host.sysctl, host.originals, dict(plan.settings))


async def _routes(host: Host, plan: NodePlan) -> Outcome:
    return await sync_routes(host.netlink.routes, plan.routes, family=plan.family, tables=TABLES)


async def _rules(host: Host, plan: NodePlan) -> Outcome:
    return await sync_rules(host.netlink.rules, plan.rules, family=plan.family)


DEVICE_STEPS: tuple[tuple[str, Step], ...] = (
    ("ruleset", _ruleset),  # a device is matched by name, so rules need not wait for it
    ("links", _links),
)
OVERLAY_STEPS: tuple[tuple[str, Step], ...] = (
    ("addresses", _addresses),
    ("neighbours", _neighbours),
    ("fdb", _fdb),
)
STEPS: tuple[tuple[str, Step], ...] = (
    ("sysctls", _settings),
    ("routes", _routes),
    ("rules", _rules),
)


async def apply_plan(host: Host, plan: NodePlan) -> Applied:
    """Bring the kernel to *plan*, as far as its devices exist; never raises Transient."""
    outcomes = [await _attempt(name, step, host, plan) for name, step in DEVICE_STEPS]
    try:
        devices = {link.name for link in await host.netlink.links.dump() if _usable(link)}
    except Transient as error:
        return Applied((*outcomes, Outcome("devices", failures=(error,))))
    ready = ready_part(plan, devices)
    # What is on a link that somebody else gave our name is not ours.
    overlay = OVERLAY_STEPS if ownership.VXLAN_LINK in devices else ()
    outcomes += [await _attempt(name, step, host, ready.plan) for name, step in overlay + STEPS]
    return Applied(tuple(outcomes), ready.waiting)


async def remove_all(host: Host, family: Family) -> tuple[Outcome, ...]:
    """Take everything of ours away, in the reverse order: nothing is left open while it goes.

    What the overlay's steps made goes with its link.
    """
    nothing = empty_plan(family)
    steps = reversed(DEVICE_STEPS + STEPS)
    return tuple([await _attempt(name, step, host, nothing) for name, step in steps])


def _usable(link: LinkInfo) -> bool:
    return link.up and (link.name != ownership.VXLAN_LINK or is_ours(link))


async def _attempt(name: str, step: Step, host: Host, plan: NodePlan) -> Outcome:
    try:
        return await step(host, plan)
    except Transient as error:
        return Outcome(name, failures=(error,))

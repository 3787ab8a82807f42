"""Everything that one node's kernel should hold for traffic between clusters.

LOCAL are this cluster's Pod and Service networks, REMOTE the other members'. One way out and one way in, the
same for TCP, UDP and ICMP (w: worker, g: gateway):

    out   w  Pod: cni -> FORWARD -> main table: REMOTE via 240.x(g) dev vx-submariner
             host process: OUTPUT, the same route gives it the CNI address as source
             mangle POSTROUTING: guard, MSS, kube-proxy's mark off; nat: LOCAL stays, any other source becomes
             the CNI address; then VXLAN from node address to node address, UDP 4800
          g  INPUT lets the VXLAN in; inner packet: vx-submariner -> FORWARD; the gateway's own Pods come from
             cni, its host processes through OUTPUT; rule 150 -> table 150: REMOTE dev ipsec0, source of the
             host's own: the CNI address; mangle and nat POSTROUTING as above; the tunnel encrypts
             (with IPsec in the kernel the device does not matter: its policies take the packet at the end)

    in    g  the tunnel decrypts -> PREROUTING: kube-proxy turns a ClusterIP into a Pod and marks the packet
             -> FORWARD (or INPUT, for the gateway's own CNI address) -> mangle POSTROUTING: the mark off
             -> nat POSTROUTING: source REMOTE stays -> cni, or the CNI's own way to the worker (no overlay)
          w  arrives by the CNI's way with a source that is routed over vx-submariner: rp_filter must be
             loose; the answer takes the way out, so that conntrack on the gateway sees both directions and
             can turn the Pod's address back into the ClusterIP

    too big with DF: the node where the packet does not fit (w: vx-submariner is the underlay less 50; g:
             ipsec0) sends ICMP "fragmentation needed" back by the way in; TCP is spared it by the MSS clamp

    closed   a missing device or gateway leaves unreachable routes (routes.py) and the guard (guard.py):
             REMOTE never follows the default route. Rules do not grow with members; routes and sets do.
"""

from __future__ import annotations

from dataclasses import dataclass

from crds.meta import Family, Rejection
from isthmus.dataplane.addresses import Address
from isthmus.dataplane.fdb import FdbEntry
from isthmus.dataplane.links import VxlanLink
from isthmus.dataplane.neighbours import Neighbour
from isthmus.dataplane.routes import Route
from isthmus.dataplane.rules import PolicyRule
from isthmus.dataplane.ruleset import Ruleset
from isthmus.membership.judge import Peer
from routeagent.plan.mss import mss_rejections
from routeagent.plan.overlay import plan_overlay
from routeagent.plan.remote import remote_of
from routeagent.plan.role import Detached, Role, role_of
from routeagent.plan.routes import plan_routes, plan_rules
from routeagent.plan.ruleset import plan_ruleset
from routeagent.plan.settings import Settings, plan_settings
from routeagent.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class NodePlan:
    """What the kernel should hold of ours, in one family.

    `refused` are peers that this node leaves out, `rejections` other objects it could not honour, with why.
    """

    family: Family
    role: Role
    ruleset: Ruleset
    links: tuple[VxlanLink, ...] = ()
    addresses: tuple[Address, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    fdb: tuple[FdbEntry, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[PolicyRule, ...] = ()
    settings: Settings = ()
    refused: tuple[tuple[Peer, Rejection], ...] = ()
    rejections: tuple[Rejection, ...] = ()


def plan_node(snapshot: Snapshot, family: Family) -> NodePlan:
    """Plan the whole node from nothing; equal snapshots give equal plans."""
    role = role_of(snapshot, family)
    remote = remote_of(snapshot, family)
    overlay = plan_overlay(snapshot, role, family)
    return NodePlan(
        family=family,
        role=role,
        ruleset=plan_ruleset(snapshot, remote, role, family),
        links=(overlay.link,),
        addresses=overlay.addresses,
        neighbours=overlay.neighbours,
        fdb=overlay.fdb,
        routes=plan_routes(snapshot, remote, role, family),
        rules=plan_rules(role, family),
        settings=plan_settings(snapshot, role, family),
        refused=remote.rejections,
        rejections=mss_rejections(snapshot),
    )


def empty_plan(family: Family) -> NodePlan:
    """What an uninstalled node holds of ours: nothing."""
    return NodePlan(family, Detached("Isthmus is being removed"), Ruleset(family))

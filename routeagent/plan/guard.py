"""No clear text: packets for remote subnets leave by the tunnel or not at all.

Routes already say so; this is the second lock, for the moments when a route, a rule or a table is gone. The
filter table tells a forwarded packet's sender at once. The mangle table's POSTROUTING sees everything that
leaves, the host's own packets included, after all routing is done (in filter OUTPUT the device can still be
the one before a Service's address was translated); there is no REJECT there, and the host's own sender sees
"operation not permitted".
"""

from __future__ import annotations

from crds.meta import Family
from isthmus.dataplane.ownership import CHAIN_PREFIX, VXLAN_LINK
from isthmus.dataplane.ruleset import Action, Chain, Drop, Match, Reject, Return, Rule
from routeagent.plan.remote import Remote
from routeagent.plan.role import Detached, Gateway, Role, Worker
from routeagent.plan.sets import SetNames, set_names

GUARD = f"{CHAIN_PREFIX}GUARD"

_REJECT_KIND = {4: "icmp-admin-prohibited", 6: "icmp6-adm-prohibited"}


def plan_guard(remote: Remote, role: Role, family: Family) -> tuple[Chain, ...]:
    """The guard of forwarded packets (filter) and of everything that leaves (mangle)."""
    names = set_names(family)
    reject = Reject(_REJECT_KIND[family])
    return (
        Chain("filter", GUARD, tuple(_rules(role, names, reject))),
        Chain("mangle", GUARD, (*_exemptions(remote, role, names), *_rules(role, names, Drop()))),
    )


def _exemptions(remote: Remote, role: Role, names: SetNames) -> list[Rule]:
    inside = Rule(
        Match(out_device="lo"), Return(), "what stays inside the node does not leave it in the clear"
    )
    if not isinstance(role, Gateway) or not remote.gateways:
        return [inside]
    reason = "the tunnel's own encrypted packets to a gateway inside a remote subnet"
    return [
        inside,
        *(
            Rule(Match(destination=names.gateways, protocol="udp", dport=port), Return(), reason)
            for port in remote.ports
        ),
        Rule(Match(destination=names.gateways, protocol="esp"), Return(), reason),
    ]


def _rules(role: Role, names: SetNames, stop: Action) -> list[Rule]:
    match role:
        case Detached():
            return [
                Rule(Match(destination=names.remote), stop, "no gateway yet: nothing goes out in the clear")
            ]
        case Worker():
            return [
                _only_by(VXLAN_LINK, names, stop, "remote subnets are reached through the gateway node only")
            ]
        case Gateway(cable):
            if cable is None:
                return _only_by_policy(names, stop)
            return [_only_by(cable, names, stop, "remote subnets are reached through the tunnel only")]


def _only_by(device: str, names: SetNames, stop: Action, reason: str) -> Rule:
    return Rule(Match(out_device=device, not_out_device=True, destination=names.remote), stop, reason)


def _only_by_policy(names: SetNames, stop: Action) -> list[Rule]:
    """Policies name Pod and Service addresses, so a packet that still waits for its SNAT matches none.

    Such a packet may go on towards the overlay device: after the SNAT a policy takes it, or it ends there.
    """
    return [
        Rule(
            Match(source=names.local, destination=names.remote, ipsec_out=False),
            stop,
            "no IPsec policy takes this packet: it would leave in the clear",
        ),
        Rule(
            Match(out_device=VXLAN_LINK, not_out_device=True, destination=names.remote, ipsec_out=False),
            stop,
            "no IPsec policy takes this packet and it is not on the way to one",
        ),
    ]

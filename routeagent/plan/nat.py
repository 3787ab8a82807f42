"""Source addresses on the way to and from other clusters: kept for Pods, made reachable for hosts."""

from __future__ import annotations

from crds.meta import Family
from isthmus.dataplane.ownership import CHAIN_PREFIX
from isthmus.dataplane.ruleset import Accept, Chain, Match, Return, Rule, Snat
from routeagent.plan.remote import Remote
from routeagent.plan.role import Gateway, Role
from routeagent.plan.sets import SetNames, set_names
from routeagent.snapshot import Snapshot

POSTROUTING = f"{CHAIN_PREFIX}POSTROUTING"


def plan_nat(snapshot: Snapshot, remote: Remote, role: Role, family: Family) -> Chain:
    """The nat chain, which must come before every rule that masquerades."""
    names = set_names(family)
    address = snapshot.host.cni_address
    rules = [
        *_own_encryption(remote, role, names),
        Rule(
            Match(source=names.local, destination=names.remote),
            Accept(),
            "Pods keep their address towards other clusters: no CNI rule may masquerade them",
        ),
        Rule(
            Match(source=names.remote, destination=names.local),
            Accept(),
            "clients in other clusters keep their address on the way in",
        ),
    ]
    if address is not None and address.version == family:
        rules.append(
            Rule(
                Match(destination=names.remote),
                Snat(address),
                "other clusters have no way back to node addresses, but to this one of the Pod network",
            )
        )
    return Chain("nat", POSTROUTING, tuple(rules))


def _own_encryption(remote: Remote, role: Role, names: SetNames) -> list[Rule]:
    if not isinstance(role, Gateway) or not remote.gateways:
        return []
    reason = "the tunnel's own packets to a gateway inside a remote subnet keep the node's address"
    return [
        Rule(
            Match(source=names.local, not_source=True, destination=names.gateways, protocol="udp"),
            Return(),
            reason,
        ),
        Rule(
            Match(source=names.local, not_source=True, destination=names.gateways, protocol="esp"),
            Return(),
            reason,
        ),
    ]

"""What the filter table lets through: forwarded packets between clusters, and VXLAN from our own nodes."""

from __future__ import annotations

from crds.meta import Family
from isthmus.dataplane.ownership import CHAIN_PREFIX, VXLAN_PORT
from isthmus.dataplane.ruleset import Accept, Chain, Jump, Match, Rule
from routeagent.plan.guard import GUARD
from routeagent.plan.role import Gateway, Role
from routeagent.plan.sets import set_names

FORWARD = f"{CHAIN_PREFIX}FORWARD"
INPUT = f"{CHAIN_PREFIX}INPUT"


def plan_forward(role: Role, family: Family) -> Chain:
    """Forwarding between clusters works whatever the host's own policy is; the guard has the first word."""
    names = set_names(family)
    # On a gateway, only the tunnel may bring packets in another cluster's name.
    arrival = role.cable if isinstance(role, Gateway) else None
    return Chain(
        "filter",
        FORWARD,
        (
            Rule(
                Match(destination=names.remote), Jump(GUARD), "nothing leaves for other clusters in the clear"
            ),
            Rule(
                Match(source=names.local, destination=names.remote),
                Accept(),
                "from our Pods to other clusters",
            ),
            Rule(
                Match(in_device=arrival, source=names.remote, destination=names.local),
                Accept(),
                "from other clusters to our Pods",
            ),
        ),
    )


def plan_input(family: Family) -> Chain:
    """The overlay's packets come from nodes of this cluster; others' are for the host's policy to judge."""
    return Chain(
        "filter",
        INPUT,
        (
            Rule(
                Match(source=set_names(family).nodes, protocol="udp", dport=VXLAN_PORT),
                Accept(),
                "the overlay between the nodes of this cluster",
            ),
        ),
    )

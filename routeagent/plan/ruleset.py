"""All of one family's packet filter, and where it is hooked in."""

from __future__ import annotations

from crds.meta import Family
from isthmus.dataplane.ruleset import Chain, Hook, Jump, Match, Rule, Ruleset
from routeagent.plan.forward import FORWARD, INPUT, plan_forward, plan_input
from routeagent.plan.guard import GUARD, plan_guard
from routeagent.plan.mark import plan_mark
from routeagent.plan.mss import plan_mss
from routeagent.plan.nat import POSTROUTING, plan_nat
from routeagent.plan.remote import Remote
from routeagent.plan.role import Role
from routeagent.plan.sets import plan_sets, set_names
from routeagent.snapshot import Snapshot

HOOKS = (
    # First: an earlier ACCEPT or MASQUERADE of somebody else would take the decision from us.
    Hook("nat", "POSTROUTING", POSTROUTING, first=True),
    Hook("mangle", "POSTROUTING", POSTROUTING, first=True),
    Hook("filter", "FORWARD", FORWARD, first=True),
    Hook("filter", "INPUT", INPUT, first=True, match=Match(protocol="udp")),
)


def plan_ruleset(snapshot: Snapshot, remote: Remote, role: Role, family: Family) -> Ruleset:
    """Sets, chains and hooks; the number of rules does not depend on how many members there are."""
    return Ruleset(
        family=family,
        sets=plan_sets(snapshot, remote, family),
        chains=(
            *plan_guard(remote, role, family),
            plan_nat(snapshot, remote, role, family),
            plan_forward(role, family),
            plan_input(family),
            _mangle(snapshot, family),
        ),
        hooks=HOOKS,
    )


def _mangle(snapshot: Snapshot, family: Family) -> Chain:
    guard = Rule(
        Match(destination=set_names(family).remote),
        Jump(GUARD),
        "nothing leaves for other clusters in the clear",
    )
    return Chain("mangle", POSTROUTING, (guard, *plan_mss(snapshot, family), *plan_mark(snapshot, family)))

"""Takes kube-proxy's "masquerade me" mark off packets between clusters.

kube-proxy marks what comes from outside the cluster's Pod network and masquerades it after routing, so that
a Service's backend would see the gateway instead of the client. Clearing the mark works in each of its modes
and wherever other rules stand, because mangle comes before every source NAT.
"""

from __future__ import annotations

from crds.meta import Family
from isthmus.dataplane.ruleset import ClearMark, Match, Rule
from routeagent.plan.sets import set_names
from routeagent.snapshot import Snapshot


def plan_mark(snapshot: Snapshot, family: Family) -> tuple[Rule, ...]:
    """Clear the one bit; the other bits of the mark belong to others."""
    names = set_names(family)
    clear = ClearMark(1 << snapshot.masquerade_bit)
    return (
        Rule(
            Match(source=names.remote, destination=names.local),
            clear,
            "behind a ClusterIP, too, the server sees the remote client's own address",
        ),
        Rule(
            Match(destination=names.remote),
            clear,
            "a masqueraded packet would carry an address that other clusters have no way back to",
        ),
    )

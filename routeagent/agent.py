"""One pass of the route agent: what is known becomes a plan, the plan becomes kernel state.

Nothing is touched before every watched kind has been read once: an empty store looks like a world without
members, and acting on it would cut every flow on the node.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from crds.meta import Family, IPNetwork
from isthmus.dataplane.facts import HostFacts, host_facts
from isthmus.membership.judge import Membership
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome, PassReport
from routeagent.apply import Host, apply_plan
from routeagent.config import Settings
from routeagent.departed import Departures
from routeagent.plan.node import plan_node
from routeagent.snapshot import Snapshot
from routeagent.status import Report
from routeagent.stores import Stores

log = structlog.get_logger()


class RouteAgent:
    """Holds the last report, for the status; the kernel is the only memory of what was done."""

    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        host: Host,
        departures: Departures,
        family: Family,
        on_report: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._stores = stores
        self._host = host
        self._departures = departures
        self._family: Family = family
        self._on_report = on_report
        self._waited_for: tuple[str, ...] = ()
        self.report = Report()

    async def run_pass(self) -> PassReport:
        """Read, judge, plan, apply."""
        if self._stores.waiting_for():
            self._report_waiting()
            return PassReport()
        membership = self._stores.membership(self._settings.local)
        try:
            facts = await host_facts(self._host.netlink, self._family, self._settings.local.cluster_cidrs)
        except Transient as error:
            report = Report(membership, outcome=PassReport.of([Outcome("host", failures=(error,))]))
        else:
            report = await self._carry_out(membership, facts)
        self.report = report
        self._on_report()
        return report.outcome

    async def _carry_out(self, membership: Membership, facts: HostFacts) -> Report:
        snapshot = Snapshot(
            node=self._settings.node,
            host=facts,
            local=self._settings.local,
            membership=membership,
            nodes=self._stores.sorted_nodes(),
            masquerade_bit=self._settings.masquerade_bit,
            departed=self._departures.note(_subnets(membership)),
        )
        plan = plan_node(snapshot, self._family)
        applied = await apply_plan(self._host, plan)
        return Report(membership, plan, applied.waiting, PassReport.of(applied.outcomes))

    def _report_waiting(self) -> None:
        waiting = self._stores.waiting_for()
        if waiting == self._waited_for:
            return
        self._waited_for = waiting
        log.info("waiting_for_api", kinds=", ".join(waiting))
        if self._stores.troubles():
            reason = Transient(f"not read yet, so this node is left as it is: {', '.join(waiting)}")
            self.report = Report(outcome=PassReport.of([Outcome("watch", failures=(reason,))]))
            self._on_report()


def _subnets(membership: Membership) -> frozenset[IPNetwork]:
    return frozenset(subnet for peer in membership.peers for subnet in peer.endpoint.spec.subnets)

"""What the leader does in a pass, in this order: announce, copy to and from the broker, make cables.

A step that fails does not stop the next: with the broker away, the cables of the last known world stay.
Before each step the leader asks whether it still leads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from broker.sync import SyncResult
from gateway.cabling import Cabling
from gateway.config import IPSEC, Settings
from gateway.localendpoint import LocalPlan, local_cluster
from gateway.picture import Held, Led
from gateway.plan.cables import plan_cables
from gateway.publish import publish
from gateway.snapshot import Snapshot
from gateway.survey import Survey
from isthmus.kube.api import KubeApi
from isthmus.membership.judge import Refusal, judge
from isthmus.reconcile.outcome import Outcome

BACKENDS = frozenset({IPSEC})


class BrokerCopies(Protocol):
    """The two-way copy between this cluster and the broker."""

    async def sync_pass(self) -> SyncResult:
        """Bring both sides to what the other one says."""


class Leading:
    """The leader's steps and what they write to."""

    def __init__(
        self,
        settings: Settings,
        api: KubeApi,
        broker: BrokerCopies,
        cabling: Cabling,
        leads: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._local = local_cluster(settings)
        self._api = api
        self._broker = broker
        self._cabling = cabling
        self._leads = leads

    async def run(self, survey: Survey, plan: LocalPlan | None, snapshot: Snapshot) -> Led:
        """Do everything that is possible now; what is not yet known is waited for."""
        outcomes: list[Outcome] = []
        refusals: tuple[Refusal, ...] = ()
        held: Held | None = None
        if plan and snapshot.synced and self._leads():
            own = snapshot.own_endpoints(self._local.cluster_id)
            outcomes.append(await publish(self._api, self._settings.namespace, self._local, plan.spec, own))
        if self._leads():
            copied = await self._broker.sync_pass()
            outcomes.append(copied.outcome)
            refusals = copied.refusals
        if snapshot.synced and self._leads():
            members = judge(self._local, snapshot.clusters, snapshot.endpoints, snapshot.invalid, BACKENDS)
            refusals += members.refusals
            if plan and survey.host and survey.driver:
                cables = plan_cables(plan.spec, members)
                held = Held(plan.spec, survey.host, survey.driver, cables)
        if held and not survey.driver_trouble and self._leads():
            outcomes += await self._cabling.carry(held)
        return Led(held, refusals, tuple(outcomes))

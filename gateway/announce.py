"""The leader's dealings with API servers: announce this cluster here, copy to and from the broker.

A loop of its own, so that a server that hangs or is away delays no cable: those follow what is known. Before
each step the leader asks whether it still leads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from broker.sync import SyncResult
from broker.transform import ItemKey
from gateway.config import Settings
from gateway.localendpoint import LocalPlan, local_cluster
from gateway.publish import Announcement, publish
from gateway.snapshot import Members
from isthmus.kube.api import KubeApi
from isthmus.membership.judge import Refusal
from isthmus.reconcile.outcome import Outcome, PassReport


class BrokerCopies(Protocol):
    """The two-way copy between this cluster and the broker."""

    async def sync_pass(self, expected: Collection[ItemKey] = ()) -> SyncResult:
        """Bring both sides to what the other one says; *expected* are objects that this cluster will have."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What the last pass came to: objects of the broker that were not copied, and what each step did."""

    refusals: tuple[Refusal, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @property
    def troubles(self) -> tuple[str, ...]:
        """What could not be done, in words."""
        return tuple(str(failure) for outcome in self.outcomes for failure in outcome.failures)


class AnnouncePass:
    """Runs such passes; `announced` is what the last one came to, empty while another gateway leads."""

    def __init__(
        self,
        settings: Settings,
        api: KubeApi,
        broker: BrokerCopies,
        members: Members,
        leads: Callable[[], bool],
        plan: Callable[[], LocalPlan | None],
    ) -> None:
        self._namespace = settings.namespace
        self._local = local_cluster(settings)
        self._api = api
        self._broker = broker
        self._members = members
        self._leads = leads
        self._plan = plan
        self.announced = Announced()

    async def run(self) -> PassReport:
        """Do what is possible now; what is not yet known is waited for."""
        outcomes: list[Outcome] = []
        refusals: tuple[Refusal, ...] = ()
        expected: frozenset[ItemKey] = frozenset()
        plan, known = self._plan(), self._members.snapshot()
        if plan and known.synced and self._leads():
            wanted = Announcement(self._local, plan.spec)
            own = known.own_endpoints(self._local.cluster_id)
            expected = wanted.keys
            outcomes.append(await publish(self._api, self._namespace, wanted, known.clusters, own))
        if self._leads():
            copied = await self._broker.sync_pass(expected)
            outcomes.append(copied.outcome)
            refusals = copied.refusals
        self.announced = Announced(refusals, tuple(outcomes))
        return PassReport.of(outcomes)

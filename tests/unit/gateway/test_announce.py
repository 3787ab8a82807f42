from __future__ import annotations

from collections.abc import Collection

from broker.sync import SyncResult
from broker.transform import ItemKey
from crds.cluster import parse_cluster
from crds.endpoint import parse_endpoint
from crds.meta import ObjectRef, Rejection
from gateway.announce import AnnouncePass
from gateway.localendpoint import LocalPlan, plan_local
from gateway.snapshot import Members
from isthmus.kube.errors import Forbidden
from isthmus.kube.resources import CLUSTERS, ENDPOINTS
from isthmus.kube.store import Store
from isthmus.membership.judge import Refusal
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome
from tests.builders import NAMESPACE, endpoint_spec
from tests.fakes.kubeapi import FakeKube
from tests.unit.gateway.worlds import LIBIPSEC, host, node, settings

LIAR = Refusal(
    Rejection(ObjectRef("Endpoint", "broker", "liar"), "spec.cluster_id", "is not its own"),
    "liar",
    endpoint_spec("liar", "10.99.0.0/16"),
)


class Rig:
    """The leader's announcements; `leads_for` counts the questions that are answered with yes."""

    def __init__(self, leads_for: int = 100) -> None:
        self.kube = FakeKube(namespaces=[NAMESPACE])
        self.members = Members(Store(CLUSTERS, parse_cluster), Store(ENDPOINTS, parse_endpoint))
        self.members.clusters.replace([])
        self.members.endpoints.replace([])
        self.plan: LocalPlan | None = plan_local(settings(), node(), host(), LIBIPSEC)
        self.copied = SyncResult(Outcome("broker"), (), synced=True)
        self.copies = 0
        self.expected: list[ItemKey] = []
        self._leads_for = leads_for
        self.passes = AnnouncePass(settings(), self.kube, self, self.members, self._leads, lambda: self.plan)

    async def sync_pass(self, expected: Collection[ItemKey] = ()) -> SyncResult:
        self.copies += 1
        self.expected = sorted(expected)
        return self.copied

    async def run(self) -> list[str]:
        """Run a pass and return its steps."""
        return [outcome.step for outcome in (await self.passes.run()).outcomes]

    def _leads(self) -> bool:
        self._leads_for -= 1
        return self._leads_for >= 0


async def test_a_leader_announces_and_copies_in_this_order():
    rig = Rig()

    assert await rig.run() == ["announcement", "broker"]
    assert rig.kube.object(CLUSTERS, NAMESPACE, "east") is not None


async def test_what_is_announced_is_not_withdrawn_from_the_broker_while_it_is_missing_here():
    rig = Rig()

    await rig.run()

    assert rig.expected == [
        ("Cluster", "east"),
        ("Endpoint", rig.kube.objects(ENDPOINTS)[0]["metadata"]["name"]),
    ]


async def test_nobody_else_announces_or_copies():
    rig = Rig(leads_for=0)

    assert await rig.run() == []
    assert (rig.kube.writes, rig.copies) == (0, 0)


async def test_a_leader_that_is_deposed_in_between_stops_there():
    rig = Rig(leads_for=1)

    assert await rig.run() == ["announcement"]
    assert rig.copies == 0


async def test_what_is_not_known_yet_is_waited_for_while_the_broker_is_served():
    unplanned, unread = Rig(), Rig()
    unplanned.plan = None
    unread.members = Members(Store(CLUSTERS, parse_cluster), Store(ENDPOINTS, parse_endpoint))
    unread.passes = AnnouncePass(
        settings(), unread.kube, unread, unread.members, lambda: True, lambda: unread.plan
    )

    for rig in (unplanned, unread):
        assert await rig.run() == ["broker"]


async def test_a_refused_announcement_does_not_keep_the_copies_back():
    rig = Rig()
    rig.kube.refuse(Forbidden)

    await rig.run()

    assert rig.copies == 1
    assert "cannot get clusters.submariner.io" in rig.passes.announced.troubles[0]


async def test_what_was_refused_and_what_failed_is_kept_for_the_status_until_the_next_pass():
    rig = Rig()
    rig.copied = SyncResult(Outcome("broker", failures=(Transient("away"),)), (LIAR,), synced=True)
    await rig.run()
    assert (rig.passes.announced.refusals, rig.passes.announced.troubles) == ((LIAR,), ("away",))

    rig.copied = SyncResult(Outcome("broker"), (), synced=True)
    await rig.run()
    assert (rig.passes.announced.refusals, rig.passes.announced.troubles) == ((), ())

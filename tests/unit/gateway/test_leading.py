from __future__ import annotations

from dataclasses import replace

from broker.sync import SyncResult
from crds.meta import ObjectRef, Rejection
from gateway.cabling import Cabling
from gateway.leading import Leading
from gateway.localendpoint import plan_local
from gateway.picture import Led
from gateway.snapshot import Snapshot
from gateway.survey import Survey
from isthmus.kube.resources import CLUSTERS, ENDPOINTS
from isthmus.membership.judge import Refusal
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome
from tests.builders import NAMESPACE, cluster, endpoint, endpoint_spec
from tests.fakes.cabledriver import SOCKET_GONE, FakeCableDriver
from tests.fakes.kubeapi import FakeKube
from tests.fakes.netlink import FakeKernel, fake_netlink
from tests.unit.gateway.worlds import LIBIPSEC, host, node, settings

SURVEY = Survey(node(), host(), LIBIPSEC)
PLAN = plan_local(settings(), node(), host(), LIBIPSEC)
MEMBERS = Snapshot(
    clusters=(cluster("west", "10.97.0.0/16"),),
    endpoints=(endpoint("west", "10.97.0.0/16"),),
    invalid=(),
    synced=True,
    troubles=(),
)
LIAR = Refusal(
    Rejection(ObjectRef("Endpoint", "broker", "liar"), "spec.cluster_id", "is not its own"),
    "liar",
    endpoint_spec("liar", "10.99.0.0/16"),
)


class Rig:
    """The leader's steps; `leads_for` counts the questions that are answered with yes."""

    def __init__(self, leads_for: int = 100) -> None:
        self.kube = FakeKube(namespaces=[NAMESPACE])
        self.driver = FakeCableDriver()
        self.kernel = FakeKernel()
        self.kernel.add_device("lo")
        self.copied = SyncResult(Outcome("broker"), (), synced=True)
        self.copies = 0
        self._leads_for = leads_for
        cabling = Cabling(fake_netlink(self.kernel).addresses, self.driver, pinger=None)
        self.leading = Leading(settings(), self.kube, self, cabling, self._leads)

    async def sync_pass(self) -> SyncResult:
        self.copies += 1
        return self.copied

    async def run(self, survey: Survey = SURVEY, snapshot: Snapshot = MEMBERS) -> Led:
        plan = PLAN if survey.host else None
        return await self.leading.run(survey, plan, snapshot)

    def _leads(self) -> bool:
        self._leads_for -= 1
        return self._leads_for >= 0


async def test_a_leader_announces_copies_and_makes_cables_in_this_order():
    rig = Rig()

    led = await rig.run()

    assert [outcome.step for outcome in led.outcomes] == ["announcement", "broker", "addresses", "cables"]
    assert rig.kube.object(CLUSTERS, NAMESPACE, "east") is not None
    assert [cable.cluster_id for cable in rig.driver.held.values()] == ["west"]
    assert led.held is not None
    assert [cable.cluster_id for cable in led.held.cables] == ["west"]


async def test_no_cable_is_touched_before_the_members_were_read_once():
    rig = Rig()
    await rig.run()

    led = await rig.run(snapshot=Snapshot((), (), (), synced=False, troubles=()))

    assert led.held is None
    assert rig.driver.held


async def test_a_failing_broker_does_not_keep_the_cables_back():
    rig = Rig()
    rig.copied = SyncResult(Outcome("broker", failures=(Transient("away"),)), (), synced=False)

    led = await rig.run()

    assert [len(outcome.failures) for outcome in led.outcomes] == [0, 1, 0, 0]
    assert rig.driver.held


async def test_what_the_broker_copy_refused_is_told_with_the_rest():
    rig = Rig()
    rig.copied = SyncResult(Outcome("broker"), (LIAR,), synced=True)

    assert (await rig.run()).refusals == (LIAR,)


async def test_without_host_facts_the_broker_is_served_and_cables_wait():
    rig = Rig()

    led = await rig.run(Survey(node(), None, LIBIPSEC))

    assert (led.held, rig.copies) == (None, 1)
    assert rig.kube.objects(ENDPOINTS) == []


async def test_a_silent_tunnel_daemon_is_not_asked_but_what_it_should_hold_is_known():
    rig = Rig()

    led = await rig.run(replace(SURVEY, driver_trouble=SOCKET_GONE))

    assert led.held is not None
    assert rig.driver.held == {}


async def test_a_leader_that_is_deposed_in_the_middle_stops_there():
    for questions in (0, 1, 2, 3):
        rig = Rig(leads_for=questions)

        await rig.run()

        assert rig.kube.objects(ENDPOINTS) == [] or questions > 0
        assert rig.copies == int(questions > 1)
        assert rig.driver.held == {}

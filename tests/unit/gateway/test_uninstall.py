from __future__ import annotations

from broker.side import Side
from crds.gateway import GatewayStatus, HaStatus, render_gateway
from gateway.cabling import Cabling
from gateway.leasefile import LEASE, LeaseFile, holder_name
from gateway.picture import Held
from gateway.plan.cables import plan_cable
from gateway.uninstall import Removal, uninstall
from isthmus.kube.errors import Unavailable
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, GATEWAYS, LEASES
from isthmus.reconcile.outcome import Outcome
from tests.builders import NAMESPACE, cluster_object, endpoint_object, endpoint_spec
from tests.fakes.cabledriver import FakeCableDriver
from tests.fakes.clock import FakeClock
from tests.fakes.kubeapi import FakeKube
from tests.fakes.netlink import FakeKernel, fake_netlink
from tests.unit.gateway.worlds import LIBIPSEC, host, settings

MEETING = "submariner-k8s-broker"
LOCAL = endpoint_spec("east", "10.96.0.0/16")
CABLE = plan_cable(LOCAL, endpoint_spec("west", "10.97.0.0/16"))


class Rig:
    """A gateway that ran: everything of it is still there."""

    def __init__(self) -> None:
        status = GatewayStatus("1", HaStatus.PASSIVE, LOCAL)
        self.kube = FakeKube(
            [
                cluster_object("east", "10.96.0.0/16"),
                endpoint_object("east", "10.96.0.0/16"),
                cluster_object("west", "10.97.0.0/16", origin="west"),
                endpoint_object("west", "10.97.0.0/16", origin="west"),
                *(render_gateway(name, NAMESPACE, status, 1) for name in ("east-gw", "other")),
            ],
            namespaces=[NAMESPACE],
        )
        self.broker = FakeKube(
            [
                endpoint_object(name, net, namespace=MEETING, origin=name)
                for name, net in (("east", "10.96.0.0/16"), ("west", "10.97.0.0/16"))
            ],
            namespaces=[MEETING],
        )
        self.driver = FakeCableDriver()
        self.kernel = FakeKernel()
        self.kernel.add_device("lo")
        self.cabling = Cabling(fake_netlink(self.kernel).addresses, self.driver, pinger=None)
        self.meeting: Side | None = Side("the broker", self.broker, MEETING)

    async def prepare(self, holder: str) -> None:
        await self.cabling.carry(Held(LOCAL, host(), LIBIPSEC, (CABLE,)))
        await LeaseFile(self.kube, NAMESPACE, 15.0, FakeClock()).write(holder, None, new_term=True)

    async def run(self, holder: str = "") -> tuple[Outcome, ...]:
        await self.prepare(holder)
        return await uninstall(Removal(settings(), self.kube, self.meeting, self.cabling))

    def names(self, *resources) -> list[str]:
        return [item["metadata"]["name"] for one in resources for item in self.kube.objects(one)]


async def test_nothing_of_this_gateway_is_left_anywhere():
    rig = Rig()

    outcomes = await rig.run()

    assert all(outcome.failures == () for outcome in outcomes)
    assert (rig.driver.held, rig.kernel.addresses) == ({}, [])
    assert rig.names(CLUSTERS, ENDPOINTS) == []
    assert rig.names(GATEWAYS) == ["other"]
    assert rig.kube.object(LEASES, NAMESPACE, LEASE) is None


async def test_what_others_have_at_the_broker_stays():
    rig = Rig()

    await rig.run()

    left = [item["metadata"]["labels"] for item in rig.broker.objects(ENDPOINTS)]
    assert left == [{"submariner-io/clusterID": "west"}]


async def test_a_lease_of_ours_goes_and_one_of_another_gateway_stays():
    for holder, stays in ((holder_name(settings().node), False), ("other-submariner-gateway", True)):
        rig = Rig()

        await rig.run(holder)

        assert (rig.kube.object(LEASES, NAMESPACE, LEASE) is not None) is stays


async def test_a_second_removal_finds_nothing_and_is_content():
    rig = Rig()
    await rig.run()

    outcomes = await uninstall(Removal(settings(), rig.kube, rig.meeting, rig.cabling))

    assert [outcome for outcome in outcomes if outcome.writes or outcome.failures] == []


async def test_without_a_usable_broker_the_rest_is_removed():
    rig = Rig()
    rig.meeting = None

    outcomes = await rig.run()

    assert all(outcome.failures == () for outcome in outcomes)
    assert rig.names(CLUSTERS, ENDPOINTS) == []


async def test_a_part_that_is_away_is_told_and_hinders_no_other():
    rig = Rig()
    await rig.prepare("")
    rig.broker.refuse(Unavailable)
    rig.driver.crash()

    outcomes = await uninstall(Removal(settings(), rig.kube, rig.meeting, rig.cabling))

    failed = [outcome.step for outcome in outcomes if outcome.failures]
    assert "cables" in failed
    assert "broker" in failed
    assert rig.names(CLUSTERS, ENDPOINTS, LEASES) == []


async def test_an_api_that_is_away_leaves_the_host_clean_all_the_same():
    rig = Rig()
    await rig.prepare("")
    rig.kube.refuse(Unavailable)

    outcomes = await uninstall(Removal(settings(), rig.kube, rig.meeting, rig.cabling))

    assert (rig.driver.held, rig.kernel.addresses) == ({}, [])
    assert sum(len(outcome.failures) for outcome in outcomes) >= 3

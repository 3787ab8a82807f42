"""What a pass does in each role; its steps are tested with `gateway.leading` and `gateway.cabling`."""

from __future__ import annotations

from ipaddress import ip_network

from broker.sync import SyncResult
from crds.cluster import parse_cluster
from crds.endpoint import parse_endpoint
from crds.meta import NodeName
from gateway.apply import GatewayPass, Members, Parts
from gateway.cabling import Cabling
from gateway.leadership import Role, Standing
from gateway.leading import Leading
from gateway.picture import Picture
from gateway.survey import Subject, Surveyor
from isthmus.dataplane.routes import Route
from isthmus.kube.resources import CLUSTERS, ENDPOINTS
from isthmus.kube.store import Store
from isthmus.reconcile.outcome import Outcome
from tests.builders import NAMESPACE, cluster_object, endpoint_object, networks
from tests.fakes.cabledriver import FakeCableDriver
from tests.fakes.clock import FakeClock
from tests.fakes.kubeapi import FakeKube
from tests.fakes.netlink import FakeKernel, fake_netlink
from tests.unit.gateway.worlds import settings

LEADER = Role(Standing.LEADER)
FOLLOWER = Role(Standing.FOLLOWER, "other")
UNDECIDED = Role(Standing.UNDECIDED, "the API server is away")


class Rig:
    def __init__(self) -> None:
        self.role = LEADER
        self.leads = True
        self.pictures: list[Picture] = []
        self.driver = FakeCableDriver()
        self.kernel = FakeKernel()
        for device in ("lo", "eth0"):
            self.kernel.add_device(device)
        self.kernel.add_address("eth0", "172.18.0.2/24")
        self.kernel.add_route(Route(ip_network("0.0.0.0/0"), 254, device="eth0"))
        kube = FakeKube(
            [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "east-gw"}}], namespaces=[NAMESPACE]
        )
        netlink = fake_netlink(self.kernel)
        self.members = Members(Store(CLUSTERS, parse_cluster), Store(ENDPOINTS, parse_endpoint))
        cabling = Cabling(netlink.addresses, self.driver, pinger=None)
        subject = Subject(NodeName("east-gw"), networks("10.244.0.0/16"))
        parts = Parts(
            surveyor=Surveyor(subject, kube, netlink, self.driver, FakeClock()),
            members=self.members,
            leading=Leading(settings(), kube, self, cabling, lambda: self.leads),
            cabling=cabling,
        )
        self.passes = GatewayPass(settings(), parts, lambda: self.role, self.pictures.append)
        self.meet("west")

    async def sync_pass(self) -> SyncResult:
        return SyncResult(Outcome("broker"), (), synced=True)

    def meet(self, *peers: str) -> None:
        """Exactly these peers are members now."""
        nets = {name: f"10.{97 + place}.0.0/16" for place, name in enumerate(peers)}
        self.members.clusters.replace(cluster_object(name, net, origin=name) for name, net in nets.items())
        self.members.endpoints.replace(endpoint_object(name, net, origin=name) for name, net in nets.items())

    async def run(self, role: Role) -> list[str]:
        """Run a pass in *role* and return the cluster ids that have cables then."""
        self.role = role
        await self.passes.run()
        return sorted(cable.cluster_id for cable in self.driver.held.values())


async def test_a_leader_makes_the_cables_of_all_members():
    rig = Rig()

    assert await rig.run(LEADER) == ["west"]
    assert [cable.cluster_id for cable in rig.pictures[-1].cables] == ["west"]


async def test_a_follower_holds_no_cable_even_if_an_earlier_run_left_some():
    rig = Rig()
    await rig.run(LEADER)

    assert await rig.run(FOLLOWER) == []
    assert rig.pictures[-1].cables == ()


async def test_a_leader_that_became_undecided_plans_nothing_new():
    rig = Rig()
    await rig.run(LEADER)
    rig.meet("west", "north")

    assert await rig.run(UNDECIDED) == ["west"]


async def test_a_leader_that_became_undecided_makes_lost_cables_again():
    rig = Rig()
    await rig.run(LEADER)
    rig.driver.crash()
    await rig.run(UNDECIDED)
    rig.driver.restart()

    assert await rig.run(UNDECIDED) == ["west"]


async def test_an_undecided_gateway_that_never_led_touches_nothing():
    rig = Rig()
    await rig.run(LEADER)
    fresh = Rig()
    fresh.driver.held.update(rig.driver.held)

    assert await fresh.run(UNDECIDED) == ["west"]
    assert fresh.driver.writes == 0


async def test_a_follower_forgets_what_it_held_as_the_leader():
    rig = Rig()
    await rig.run(LEADER)
    await rig.run(FOLLOWER)

    assert await rig.run(UNDECIDED) == []


async def test_every_pass_ends_with_a_picture():
    rig = Rig()
    for role in (LEADER, FOLLOWER, UNDECIDED):
        await rig.run(role)

    assert [picture.role for picture in rig.pictures] == [LEADER, FOLLOWER, UNDECIDED]


async def test_a_leader_whose_time_ran_out_within_a_pass_still_keeps_its_cables_alive():
    rig = Rig()
    await rig.run(LEADER)
    rig.leads = False
    await rig.run(LEADER)
    rig.driver.crash()
    rig.driver.restart()

    assert await rig.run(UNDECIDED) == ["west"]

"""What a pass does in each role; its steps are tested with `gateway.cabling`."""

from __future__ import annotations

from ipaddress import ip_network

from crds.cluster import parse_cluster
from crds.endpoint import parse_endpoint
from crds.meta import NodeName
from gateway.apply import GatewayPass, Parts
from gateway.cabling import Cabling
from gateway.leadership import Role, Standing
from gateway.picture import Picture
from gateway.snapshot import Members
from gateway.survey import Subject, Surveyor
from isthmus.dataplane.routes import Route
from isthmus.kube.resources import CLUSTERS, ENDPOINTS
from isthmus.kube.store import Store
from tests.builders import NAMESPACE, cluster_object, endpoint_object, networks
from tests.fakes.cabledriver import FakeCableDriver
from tests.fakes.kubeapi import FakeKube
from tests.fakes.netlink import FakeKernel, fake_netlink
from tests.unit.gateway.worlds import settings

LEADER = Role(Standing.LEADER)
FOLLOWER = Role(Standing.FOLLOWER, "other")
UNDECIDED = Role(Standing.UNDECIDED, "the API server is away")


class Rig:
    def __init__(self) -> None:
        self.role = LEADER
        self.in_time = True
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
        self.surveyor = Surveyor(subject, kube, netlink, self.driver, lambda: None)
        parts = Parts(self.surveyor, self.members, self, cabling)
        self.passes = GatewayPass(settings(), parts, self.pictures.append)
        self.meet("west")

    def leads(self) -> bool:
        return self.in_time

    def meet(self, *peers: str) -> None:
        """Exactly these peers are members now."""
        nets = {name: f"10.{97 + place}.0.0/16" for place, name in enumerate(peers)}
        self.members.clusters.replace(cluster_object(name, net, origin=name) for name, net in nets.items())
        self.members.endpoints.replace(endpoint_object(name, net, origin=name) for name, net in nets.items())

    async def run(self, role: Role) -> list[str]:
        """Run a pass in *role* and return the cluster ids that have cables then."""
        self.role = role
        await self.surveyor.read_node()
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
    rig.in_time = False
    await rig.run(LEADER)
    rig.driver.crash()
    rig.driver.restart()

    assert await rig.run(UNDECIDED) == ["west"]


async def test_no_cable_is_touched_before_the_members_were_read_once():
    rig = Rig()
    await rig.run(LEADER)
    fresh = Rig()
    fresh.members = Members(Store(CLUSTERS, parse_cluster), Store(ENDPOINTS, parse_endpoint))
    fresh.driver.held.update(rig.driver.held)
    parts = Parts(
        fresh.surveyor,
        fresh.members,
        fresh,
        Cabling(fake_netlink(fresh.kernel).addresses, fresh.driver, None),
    )
    fresh.passes = GatewayPass(settings(), parts, fresh.pictures.append)

    assert await fresh.run(LEADER) == ["west"]
    assert fresh.driver.writes == 0


async def test_a_refused_endpoint_is_in_the_picture_of_the_leader():
    rig = Rig()
    rig.members.clusters.replace([])

    assert await rig.run(LEADER) == []
    assert [refusal.cluster_id for refusal in rig.pictures[-1].refusals] == ["west"]


async def test_a_silent_tunnel_daemon_is_not_asked_but_what_it_should_hold_is_known():
    rig = Rig()
    await rig.run(LEADER)
    rig.driver.crash()
    rig.meet("west", "north")

    await rig.run(LEADER)

    assert [cable.cluster_id for cable in rig.pictures[-1].cables] == ["north", "west"]

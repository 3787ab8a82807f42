from __future__ import annotations

from ipaddress import ip_address, ip_network

from crds.meta import NodeName
from gateway.survey import NODE_REFRESH, Subject, Surveyor
from isthmus.dataplane.routes import Route
from isthmus.kube.errors import Forbidden
from isthmus.kube.resources import NODES
from tests.builders import networks
from tests.fakes.cabledriver import SOCKET_GONE, WORKING, FakeCableDriver
from tests.fakes.clock import FakeClock
from tests.fakes.kubeapi import FakeKube
from tests.fakes.netlink import FakeKernel, fake_netlink


class Rig:
    def __init__(self) -> None:
        self.kube = FakeKube([{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "east-gw"}}])
        self.kernel = FakeKernel()
        self.kernel.add_device("eth0")
        self.kernel.add_address("eth0", "172.18.0.2/24")
        self.kernel.add_route(Route(ip_network("0.0.0.0/0"), 254, device="eth0"))
        self.driver = FakeCableDriver()
        self.clock = FakeClock()
        subject = Subject(NodeName("east-gw"), networks("10.244.0.0/16"))
        self.surveyor = Surveyor(subject, self.kube, fake_netlink(self.kernel), self.driver, self.clock)

    @property
    def node_reads(self) -> int:
        return len([call for call in self.kube.calls if call.verb == "get"])


async def test_everything_that_can_be_read_is_known():
    rig = Rig()

    survey = await rig.surveyor.survey()

    assert survey.node is not None
    assert survey.host is not None
    assert (survey.node.name, survey.host.private_ip) == ("east-gw", ip_address("172.18.0.2"))
    assert (survey.driver, survey.driver_trouble, survey.outcomes) == (WORKING, "", ())


async def test_the_node_is_read_again_only_after_a_while():
    rig = Rig()
    await rig.surveyor.survey()
    await rig.surveyor.survey()
    assert rig.node_reads == 1

    await rig.clock.advance(NODE_REFRESH)
    await rig.surveyor.survey()

    assert rig.node_reads == 2


async def test_what_cannot_be_read_hides_nothing_else_and_is_told():
    rig = Rig()
    rig.kube.refuse(Forbidden, resource=NODES)
    rig.kernel.routes.clear()
    rig.driver.crash()

    survey = await rig.surveyor.survey()

    assert (survey.node, survey.host, survey.driver) == (None, None, None)
    assert [outcome.step for outcome in survey.outcomes] == ["node", "host", "driver"]
    assert survey.driver_trouble == SOCKET_GONE


async def test_the_last_good_answer_stays_while_there_is_no_new_one():
    rig = Rig()
    before = await rig.surveyor.survey()
    rig.kernel.routes.clear()
    rig.driver.crash()

    survey = await rig.surveyor.survey()

    assert (survey.host, survey.driver) == (before.host, before.driver)
    assert survey.driver_trouble == SOCKET_GONE


async def test_trouble_that_is_over_is_forgotten():
    rig = Rig()
    rig.driver.crash()
    await rig.surveyor.survey()
    rig.driver.restart()

    survey = await rig.surveyor.survey()

    assert (survey.driver_trouble, survey.outcomes) == ("", ())

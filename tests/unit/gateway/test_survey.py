from __future__ import annotations

from ipaddress import ip_address, ip_network

from crds.meta import NodeName
from gateway.survey import Subject, Surveyor
from isthmus.dataplane.routes import Route
from isthmus.kube.errors import Forbidden
from isthmus.kube.resources import NODES
from tests.builders import networks
from tests.fakes.cabledriver import SOCKET_GONE, WORKING, FakeCableDriver
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
        self.news = 0
        subject = Subject(NodeName("east-gw"), networks("10.244.0.0/16"))
        self.surveyor = Surveyor(subject, self.kube, fake_netlink(self.kernel), self.driver, self.hear)

    def hear(self) -> None:
        self.news += 1


async def test_everything_that_can_be_read_is_known():
    rig = Rig()
    await rig.surveyor.read_node()

    survey = await rig.surveyor.survey()

    assert survey.node is not None
    assert survey.host is not None
    assert (survey.node.name, survey.host.private_ip) == ("east-gw", ip_address("172.18.0.2"))
    assert (survey.driver, survey.driver_trouble, survey.outcomes) == (WORKING, "", ())


async def test_a_look_at_the_host_calls_no_server():
    rig = Rig()

    await rig.surveyor.survey()

    assert rig.kube.calls == []


async def test_only_another_node_is_news():
    rig = Rig()
    await rig.surveyor.read_node()
    await rig.surveyor.read_node()
    assert rig.news == 1

    labels = {"gateway.submariner.io/udp-port": "4501"}
    rig.kube.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "east-gw", "labels": labels}})
    await rig.surveyor.read_node()

    assert rig.news == 2


async def test_a_node_that_cannot_be_read_keeps_its_last_value_and_is_told():
    rig = Rig()
    await rig.surveyor.read_node()
    rig.kube.refuse(Forbidden, resource=NODES)

    report = await rig.surveyor.read_node()

    survey = await rig.surveyor.survey()
    assert [step for step, _ in report.failures] == ["node"]
    assert survey.node is not None
    assert "cannot get nodes" in survey.node_trouble
    assert rig.news == 2


async def test_what_cannot_be_read_hides_nothing_else_and_is_told():
    rig = Rig()
    rig.kernel.routes.clear()
    rig.driver.crash()

    survey = await rig.surveyor.survey()

    assert (survey.node, survey.host, survey.driver) == (None, None, None)
    assert [outcome.step for outcome in survey.outcomes] == ["host", "driver"]
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

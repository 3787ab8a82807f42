from __future__ import annotations

import asyncio
from ipaddress import ip_address

from crds.gateway import ConnectionStatus, Gateway, GatewayStatus, HaStatus, parse_gateway, render_gateway
from crds.meta import ObjectRef, Rejection
from gateway.announce import Announced
from gateway.health.icmp import Origin
from gateway.health.ping import Pinger, PingTiming
from gateway.leadership import Role, Standing
from gateway.localendpoint import LocalPlan
from gateway.picture import Picture
from gateway.plan.cables import plan_cable
from gateway.report import HEARTBEAT, Sources, StatusPass
from gateway.siblings import STALE_AFTER
from isthmus.kube.errors import Forbidden
from isthmus.kube.events import Reporter
from isthmus.kube.resources import EVENTS, GATEWAYS
from isthmus.kube.store import Store
from isthmus.membership.judge import Refusal
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome
from tests.builders import NAMESPACE, endpoint_spec
from tests.fakes.cabledriver import SOCKET_GONE, FakeCableDriver
from tests.fakes.clock import FakeClock
from tests.fakes.echoes import FakeEchoes
from tests.fakes.kubeapi import FakeKube
from tests.unit.gateway.worlds import node, settings

LOCAL = endpoint_spec("east", "10.96.0.0/16")
CABLE = plan_cable(LOCAL, endpoint_spec("west", "10.97.0.0/16"))
ACTIVE = Picture(role=Role(Standing.LEADER), plan=LocalPlan(LOCAL, ()), cables=(CABLE,))
PASSIVE = Picture(role=Role(Standing.FOLLOWER, "other"), plan=LocalPlan(LOCAL, ()))


class Rig:
    def __init__(self, picture: Picture = ACTIVE) -> None:
        self.picture = picture
        self.kube = FakeKube(namespaces=[NAMESPACE, "default"])
        self.clock = FakeClock()
        self.driver = FakeCableDriver()
        self.echoes = FakeEchoes()
        self.pinger = Pinger(self.echoes, self.clock, PingTiming(), lambda: None)
        self.pinger.aim({CABLE.cable_name: ip_address("10.97.0.1")}, Origin())
        self.driver.held = {CABLE.cable_name: CABLE}
        self.gateways: Store[Gateway] = Store(GATEWAYS, parse_gateway)
        self.announced = Announced()
        sources = Sources(
            lambda: self.picture, lambda: self.announced, self.driver, self.pinger, self.gateways
        )
        events = Reporter(self.kube, self.clock, "isthmus-gateway", "east-gw", NAMESPACE)
        self.status = StatusPass(settings(), "0.1.0", self.kube, sources, events, self.clock)

    async def run(self, after: float = 0.0) -> int:
        """Report after some seconds; returns how many changes the report claims."""
        await self.clock.advance(after)
        self.gateways.replace(self.kube.objects(GATEWAYS))
        return (await self.status.run()).writes

    @property
    def own(self) -> Gateway:
        found = self.kube.object(GATEWAYS, NAMESPACE, "east-gw")
        assert found is not None
        return parse_gateway(found)

    def sibling(self, name: str, updated: int) -> None:
        status = GatewayStatus("0.1.0", HaStatus.PASSIVE, LOCAL)
        self.kube.put(render_gateway(name, NAMESPACE, status, updated))


async def test_an_active_gateway_reports_its_connections_and_its_endpoint():
    rig = Rig()

    await rig.run()

    assert (rig.own.status.version, rig.own.status.ha_status) == ("0.1.0", HaStatus.ACTIVE)
    assert rig.own.status.local_endpoint == LOCAL
    assert [one.status for one in rig.own.status.connections] == [ConnectionStatus.CONNECTED]


async def test_the_sign_of_life_comes_every_few_seconds_and_counts_as_no_change():
    rig = Rig()
    assert await rig.run() == 1
    first = rig.own.updated

    assert await rig.run(after=1.0) == 0
    assert rig.own.updated == first

    assert await rig.run(after=HEARTBEAT) == 0
    assert rig.own.updated == (first or 0) + 6
    assert rig.status.written == 2


async def test_news_is_written_at_once():
    rig = Rig()
    await rig.run()
    rig.picture = PASSIVE

    assert await rig.run(after=0.1) == 1
    assert rig.own.status.ha_status is HaStatus.PASSIVE


async def test_a_silent_tunnel_daemon_is_told_in_status_and_connection():
    rig = Rig()
    rig.driver.broken = SOCKET_GONE

    await rig.run()

    assert rig.own.status.status_failure == SOCKET_GONE
    assert [one.message for one in rig.own.status.connections] == [SOCKET_GONE]


async def test_a_gateway_that_knows_nothing_of_itself_yet_reports_all_the_same():
    rig = Rig(Picture())

    await rig.run()

    assert rig.own.status.status_failure == "the gateway has just started"


async def test_what_was_refused_becomes_an_event():
    refused = Rejection(node().ref, "gateway.submariner.io/udpport", "has no effect")
    rig = Rig(Picture(role=ACTIVE.role, plan=LocalPlan(LOCAL, (refused,))))

    await rig.run()

    (event,) = rig.kube.objects(EVENTS)
    assert event["message"] == "gateway.submariner.io/udpport: has no effect"


async def test_the_active_gateway_removes_a_sibling_that_shows_no_sign_of_life():
    rig = Rig()
    rig.sibling("dead", 1)
    await rig.run()
    await rig.run(after=STALE_AFTER - 1)
    assert rig.kube.object(GATEWAYS, NAMESPACE, "dead")

    await rig.run(after=1.0)
    assert rig.kube.object(GATEWAYS, NAMESPACE, "dead") is None


async def test_a_passive_gateway_removes_nobody():
    rig = Rig(PASSIVE)
    rig.sibling("dead", 1)
    await rig.run()
    await rig.run(after=100.0)

    assert rig.kube.object(GATEWAYS, NAMESPACE, "dead")


async def test_after_a_broken_watch_everybody_gets_the_full_time_again():
    rig = Rig()
    rig.sibling("quiet", 1)
    await rig.run()
    rig.gateways.note_error("the API server is away")
    await rig.status.run()
    rig.gateways.note_error("")

    await rig.run(after=STALE_AFTER + 1)

    assert rig.kube.object(GATEWAYS, NAMESPACE, "quiet")


async def test_live_passive_siblings_are_candidates():
    rig = Rig()
    rig.sibling("ready", 1)
    await rig.run()

    assert rig.status.candidates() == ("ready",)


async def test_a_refused_write_is_a_failure_and_is_tried_again_at_the_next_report():
    rig = Rig()
    rig.kube.fail_next("create", Forbidden, GATEWAYS)

    report = await rig.status.run()

    assert [step for step, _ in report.failures] == ["status"]
    assert await rig.run(after=0.1) == 1


async def test_signing_off_removes_our_object_and_is_content_if_it_is_gone():
    rig = Rig()
    await rig.run()

    await rig.status.sign_off()
    await rig.status.sign_off()

    assert rig.kube.objects(GATEWAYS) == []


async def test_the_first_round_trip_time_is_news_and_later_ones_are_not():
    rig = Rig()
    await rig.run()
    rig.echoes.alive = {ip_address("10.97.0.1")}

    async with asyncio.TaskGroup() as tasks:
        pinging = tasks.create_task(rig.pinger.run())
        await rig.clock.advance(0.1)
        assert await rig.run(after=0.1) == 1
        assert await rig.run(after=2.0) == 0
        pinging.cancel()


async def test_what_the_broker_offered_and_what_failed_there_is_told_too():
    rig = Rig()
    ref = ObjectRef("Endpoint", "broker", "liar")
    refusal = Refusal(Rejection(ref, "spec.cluster_id", "is not its own"), "liar", LOCAL)
    away = Outcome("broker", failures=(Transient("the broker: cannot list clusters"),))
    rig.announced = Announced((refusal,), (away,))

    await rig.run()

    assert rig.own.status.status_failure == "the broker: cannot list clusters"
    assert rig.own.status.connections[-1].message == "refused: spec.cluster_id: is not its own"

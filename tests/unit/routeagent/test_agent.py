"""Whole passes: stores in, kernel state out, all in memory."""

from __future__ import annotations

from isthmus.kube.api import WatchEvent
from isthmus.reconcile.outcome import PassReport
from routeagent.agent import RouteAgent
from routeagent.config import read_settings
from routeagent.departed import Departures
from routeagent.plan.role import Worker
from routeagent.stores import Stores
from tests import builders
from tests.fakes.clock import FakeClock
from tests.unit.routeagent.hosts import fake_host
from tests.unit.routeagent.test_config import COMPLETE
from tests.unit.routeagent.worlds import WORKER

WEST = builders.endpoint_object("west", "10.97.0.0/16", "10.245.0.0/16", origin="west")
OWN = builders.endpoint_object(
    "east",
    "10.96.0.0/16",
    "10.244.0.0/16",
    hostname="east-gw",
    private_ip="10.1.0.1",
    config={"interface-name": "ipsec0"},
)


class Rig:
    def __init__(self) -> None:
        self.stores, self.host, self.clock, self.reports = Stores(), fake_host(WORKER), FakeClock(), 0
        self.agent = RouteAgent(
            read_settings(COMPLETE), self.stores, self.host.host, Departures(self.clock), 4, self.count
        )

    def count(self) -> None:
        self.reports += 1

    def read_all(self) -> None:
        self.stores.nodes.replace([])
        self.stores.clusters.replace(
            [builders.cluster_object("west", "10.97.0.0/16", pods=("10.245.0.0/16",), origin="west")]
        )
        self.stores.endpoints.replace([OWN, WEST])

    def routes(self) -> list[tuple[str, str]]:
        held = [route for protocol, route in self.host.kernel.routes if protocol == 150]
        return sorted((str(route.dst), route.kind.value) for route in held)


async def test_nothing_is_touched_before_everything_was_read():
    rig = Rig()
    rig.stores.clusters.replace([])
    before = await rig.host.state()

    report = await rig.agent.run_pass()

    assert report == PassReport()
    assert (await rig.host.state(), rig.reports) == (before, 0)


async def test_a_pass_carries_the_world_into_the_kernel():
    rig = Rig()
    rig.read_all()

    report = await rig.agent.run_pass()

    assert report.failures == ()
    assert rig.routes() == [
        ("10.245.0.0/16", "unicast"),
        ("10.245.0.0/16", "unreachable"),
        ("10.97.0.0/16", "unicast"),
        ("10.97.0.0/16", "unreachable"),
    ]
    assert rig.agent.report.plan is not None
    assert isinstance(rig.agent.report.plan.role, Worker)


async def test_the_first_pass_of_a_restarted_agent_writes_nothing():
    rig = Rig()
    rig.read_all()
    await rig.agent.run_pass()
    writes = rig.host.writes()

    again = RouteAgent(
        read_settings(COMPLETE), rig.stores, rig.host.host, Departures(rig.clock), 4, rig.count
    )
    report = await again.run_pass()

    assert (report.writes, rig.host.writes()) == (0, writes)


async def test_an_updated_endpoint_is_honoured():
    rig = Rig()
    rig.read_all()
    await rig.agent.run_pass()
    smaller = builders.endpoint_object("west", "10.245.0.0/16", origin="west")
    rig.stores.endpoints.apply(WatchEvent("MODIFIED", smaller))

    await rig.agent.run_pass()

    assert ("10.97.0.0/16", "unicast") not in rig.routes()
    assert ("10.245.0.0/16", "unicast") in rig.routes()


async def test_a_member_that_left_stays_unreachable_for_a_minute_and_is_gone_then():
    rig = Rig()
    rig.read_all()
    await rig.agent.run_pass()
    rig.stores.endpoints.apply(WatchEvent("DELETED", WEST))

    await rig.agent.run_pass()
    closed = rig.routes()
    await rig.clock.advance(61)
    await rig.agent.run_pass()

    assert closed == [("10.245.0.0/16", "unreachable"), ("10.97.0.0/16", "unreachable")]
    assert rig.routes() == []


async def test_a_bad_object_harms_no_other():
    rig = Rig()
    rig.read_all()
    bad = builders.endpoint_object("north", "10.98.0.0/16", origin="north")
    bad["spec"]["subnets"] = ["0.0.0.0/0"]
    rig.stores.endpoints.apply(WatchEvent("ADDED", bad))

    await rig.agent.run_pass()

    assert len(rig.routes()) == 4
    refusals = rig.agent.report.membership.refusals
    assert [refusal.rejection.ref.name for refusal in refusals] == [bad["metadata"]["name"]]


async def test_a_host_without_a_default_route_is_a_failure_that_changes_nothing():
    rig = Rig()
    rig.read_all()
    await rig.agent.run_pass()
    ours = [(protocol, route) for protocol, route in rig.host.kernel.routes if protocol == 150]
    rig.host.kernel.routes = ours
    writes = rig.host.writes()

    report = await rig.agent.run_pass()

    [(step, error)] = report.failures
    assert step == "host"
    assert "no IPv4 default route" in str(error)
    assert rig.host.writes() == writes

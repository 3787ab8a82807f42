"""The whole daemon over an API server, a kernel and a network in memory, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from crds.meta import IPAddress
from isthmus.kube.errors import Forbidden, Unavailable
from isthmus.kube.resources import EVENTS, NODES, ROUTE_AGENTS
from routeagent.config import read_settings
from routeagent.daemon import Daemon, World
from tests import builders
from tests.fakes.clock import FakeClock
from tests.fakes.kubeapi import FakeKube
from tests.unit.routeagent.hosts import fake_host
from tests.unit.routeagent.test_agent import OWN
from tests.unit.routeagent.test_config import COMPLETE
from tests.unit.routeagent.worlds import WORKER

WEST = builders.endpoint_object(
    "west",
    "10.97.0.0/16",
    "10.245.0.0/16",
    origin="west",
    private_ip="172.16.0.1",
    health_check_ip="10.245.1.1",
)
CLUSTER = builders.cluster_object("west", "10.97.0.0/16", pods=("10.245.0.0/16",), origin="west")


class Everybody:
    """A network in which everybody answers."""

    async def ask(self, addresses: Sequence[IPAddress]) -> Mapping[IPAddress, float]:
        return dict.fromkeys(addresses, 0.001)


class Rig:
    def __init__(self) -> None:
        self.api = FakeKube([OWN, WEST, CLUSTER], namespaces=("default", builders.NAMESPACE))
        self.host, self.clock = fake_host(WORKER), FakeClock()
        world = World(self.api, self.host.host, Everybody(), self.clock)
        self.daemon = Daemon(read_settings(COMPLETE), world, "1.0", 4)

    def tunnelled(self) -> list[str]:
        held = [route for protocol, route in self.host.kernel.routes if protocol == 150]
        return sorted(str(route.dst) for route in held if route.device == "vx-submariner")

    def told(self) -> list[tuple[str, str]]:
        stored = self.api.object(ROUTE_AGENTS, builders.NAMESPACE, WORKER)
        entries = stored["status"]["remoteEndpoints"] if stored else []
        return [(entry["status"], entry["statusMessage"]) for entry in entries]


@asynccontextmanager
async def running(rig: Rig) -> AsyncIterator[Rig]:
    async with asyncio.TaskGroup() as tasks:
        daemon = tasks.create_task(rig.daemon.run(()))
        yield rig
        daemon.cancel()


async def test_the_world_reaches_the_kernel_and_the_status_the_api_server():
    async with running(Rig()) as rig:
        await rig.clock.advance(10)

        assert rig.tunnelled() == ["10.245.0.0/16", "10.97.0.0/16"]
        assert rig.told() == [("connected", "")]
        assert rig.daemon.health.unreadiness() == ""


async def test_an_object_that_changes_is_acted_on_at_once():
    async with running(Rig()) as rig:
        await rig.clock.advance(10)
        rig.api.put(builders.endpoint_object("west", "10.245.0.0/16", origin="west", private_ip="172.16.0.1"))
        await rig.clock.advance(0.5)

        assert rig.tunnelled() == ["10.245.0.0/16"]


async def test_news_from_the_kernel_is_acted_on_at_once():
    async with running(Rig()) as rig:
        await rig.clock.advance(10)
        rig.host.kernel.remove_link("vx-submariner")
        await rig.clock.advance(0.5)

        assert rig.tunnelled() == ["10.245.0.0/16", "10.97.0.0/16"]


async def test_what_changed_in_silence_is_repaired_within_the_resync_interval():
    async with running(Rig()) as rig:
        await rig.clock.advance(10)
        rig.host.filter.tables["filter"]["SUBMARINER-FORWARD"].clear()
        await rig.clock.advance(30.5)

        assert rig.host.filter.tables["filter"]["SUBMARINER-FORWARD"] != []


async def test_while_the_api_server_is_away_at_the_start_the_kernel_keeps_what_it_has():
    rig = Rig()
    async with running(rig):
        await rig.clock.advance(10)
    rig.api.refuse(Unavailable)
    before = await rig.host.state()

    restarted = Rig()
    restarted.api, restarted.host = rig.api, rig.host
    world = World(rig.api, rig.host.host, Everybody(), restarted.clock)
    restarted.daemon = Daemon(read_settings(COMPLETE), world, "1.0", 4)
    async with running(restarted):
        await restarted.clock.advance(120)
        assert await rig.host.state() == before
        assert "not read yet: Cluster (" in restarted.daemon.health.unreadiness()

        rig.api.accept_all()
        await restarted.clock.advance(60)
        assert restarted.daemon.health.unreadiness() == ""
        assert await rig.host.state() == before


async def test_an_api_server_that_goes_away_later_changes_nothing_on_the_node():
    async with running(Rig()) as rig:
        await rig.clock.advance(10)
        before = await rig.host.state()
        rig.api.refuse(Unavailable)
        rig.api.drop_watches()
        rig.host.kernel.remove_link("vx-submariner")
        await rig.clock.advance(300)

        after = await rig.host.state()
        assert (after["routes"], after["filter"]) == (before["routes"], before["filter"])


async def test_a_right_that_is_missing_is_named_in_the_nodes_status():
    rig = Rig()
    rig.api.refuse(Forbidden, resource=NODES)
    async with running(rig):
        await rig.clock.advance(10)

        [stored] = rig.api.objects(ROUTE_AGENTS)
        failure = stored["status"]["statusFailure"]
        assert failure.startswith("watch: not read yet, so this node is left as it is: Node (")
        assert rig.tunnelled() == []

        rig.api.accept_all()
        await rig.clock.advance(60)
        assert rig.told() == [("connected", "")]


async def test_a_refused_member_is_told_and_announced_by_the_gateways_node():
    rig = Rig()
    rig.api.put(builders.endpoint_object("north", "10.244.0.0/24", origin="north", private_ip="172.16.0.3"))
    rig.api.put(builders.cluster_object("north", "10.244.0.0/24", origin="north"))
    async with running(rig):
        await rig.clock.advance(10)

        assert [status for status, _ in rig.told()] == ["connected", "error"]
        assert "refused: spec.subnets[0]: 10.244.0.0/24 overlaps" in rig.told()[1][1]
        # This node is a worker; the gateway's node writes the Event.
        assert rig.api.objects(EVENTS) == []


async def test_with_health_checks_off_nobody_is_pinged():
    rig = Rig()
    world = World(rig.api, rig.host.host, Everybody(), rig.clock)
    settings = read_settings(COMPLETE | {"SUBMARINER_HEALTHCHECKENABLED": "false"})
    rig.daemon = Daemon(settings, world, "1.0", 4)
    async with running(rig):
        await rig.clock.advance(10)

        assert rig.told() == [("none", "health checks are switched off")]

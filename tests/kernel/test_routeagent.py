"""The whole route agent in a private namespace that plays a node, with an API server in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from isthmus.dataplane.command import SystemCommand
from isthmus.dataplane.iptables.backend import BACKENDS
from isthmus.dataplane.iptables.kernel import Backend, kernel_packet_filter
from isthmus.dataplane.netlink import kernel_netlink
from isthmus.dataplane.sysctl import KernelSysctl, OriginalsFile
from isthmus.kube.api import Object
from isthmus.kube.resources import ENDPOINTS, ROUTE_AGENTS
from isthmus.reconcile.clock import SystemClock
from routeagent.apply import Host
from routeagent.config import read_settings
from routeagent.daemon import Daemon, World
from routeagent.health import IcmpEchoes
from routeagent.uninstall import clean_node
from tests import builders
from tests.fakes.kubeapi import FakeKube
from tests.netns import private_namespace, run
from tests.unit.routeagent.test_config import COMPLETE

pytestmark = pytest.mark.root

NAMESPACE = builders.NAMESPACE
WEST = ("10.97.0.0/16", "10.245.0.0/16")
VIEWS = (
    ("ip", "-d", "link"),
    ("ip", "address"),
    ("ip", "route", "show", "table", "all"),
    ("ip", "rule"),
    ("iptables-nft-save",),
    ("iptables-legacy-save",),
    ("ipset", "save"),
    ("sysctl", "-a", "--pattern", r"^net\.ipv4\.(ip_forward|conf\..*\.(rp_filter|forwarding))"),
)
REPAIR_SECONDS = 5.0
"""Far below the resync interval: what is repaired within it was repaired on news from the kernel."""


def veth(name: str) -> None:
    run("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}-p")
    run("ip", "link", "set", f"{name}-p", "up")
    run("ip", "link", "set", name, "up")


@pytest.fixture
def node() -> Iterator[str]:
    """eth0 with the default route, cni0 with the Pod network's address, ipsec0 in the place of charon's."""
    with private_namespace() as name:
        # Addresses that appear by themselves a second later would disturb comparisons.
        run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        for device in ("eth0", "cni0", "ipsec0"):
            veth(device)
        run("ip", "address", "add", "10.1.0.2/24", "dev", "eth0")
        run("ip", "address", "add", "10.244.2.1/24", "dev", "cni0")
        run("ip", "route", "add", "default", "via", "10.1.0.254")
        run("iptables-nft", "-t", "nat", "-A", "POSTROUTING", "-s", "10.244.0.0/16", "-j", "MASQUERADE")
        for device in ("all", "default", "eth0", "cni0", "ipsec0"):
            run("sysctl", "-qw", f"net.ipv4.conf.{device}.rp_filter=1")
        yield name


def held() -> dict[str, str]:
    """Everything the node holds, as the tools show it, without counters and link states."""
    return {" ".join(view): _steady(run(*view)) for view in VIEWS}


def _steady(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return "\n".join(line.split(" [")[0] if line.startswith(":") else line for line in lines)


def endpoint_of_east(hostname: str, private_ip: str) -> Object:
    return builders.endpoint_object(
        "east",
        "10.96.0.0/16",
        "10.244.0.0/16",
        hostname=hostname,
        private_ip=private_ip,
        config={"interface-name": "ipsec0"},
    )


AS_WORKER = endpoint_of_east("east-gw", "10.1.0.1")
AS_GATEWAY = endpoint_of_east("east-worker", "10.1.0.2")


def api_server(own: Object = AS_WORKER) -> FakeKube:
    nodes = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name},
            "status": {"addresses": [{"type": "InternalIP", "address": address}]},
        }
        for name, address in (("east-gw", "10.1.0.1"), ("east-worker", "10.1.0.2"))
    ]
    west = builders.endpoint_object("west", *WEST, origin="west", private_ip="172.16.0.1")
    cluster = builders.cluster_object("west", WEST[0], pods=(WEST[1],), origin="west")
    return FakeKube([own, west, cluster, *nodes], namespaces=("default", NAMESPACE))


@asynccontextmanager
async def agent(api: FakeKube, directory: Path, backend: Backend = "nft") -> AsyncIterator[Daemon]:
    async with host_of(directory, backend) as host:
        world = World(api, host, IcmpEchoes(), SystemClock())
        daemon = Daemon(read_settings(COMPLETE), world, "test", 4)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(daemon.run(()))
            try:
                yield daemon
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running


@asynccontextmanager
async def host_of(directory: Path, backend: Backend = "nft") -> AsyncIterator[Host]:
    packet_filter = kernel_packet_filter(SystemCommand(), 4, backend)
    async with kernel_netlink() as netlink:
        yield Host(netlink, packet_filter, KernelSysctl(), OriginalsFile(directory / "sysctl.json"))


async def until(condition: Callable[[], bool], seconds: float = REPAIR_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        await asyncio.sleep(0.05)


def routes(table: str = "main") -> list[str]:
    """Our routes in *table*, as `ip` prints them; a table without routes is not known to the kernel."""
    shown = run("ip", "route", "show", "table", "all", "proto", "150").splitlines()
    named = [line for line in shown if ("table" in line) == (table != "main")]
    return sorted(" ".join(line.replace(f"table {table} ", "").split()) for line in named)


WORKER_ROUTES = [
    "10.245.0.0/16 via 240.1.0.1 dev vx-submariner src 10.244.2.1 metric 50 onlink",
    "10.97.0.0/16 via 240.1.0.1 dev vx-submariner src 10.244.2.1 metric 50 onlink",
    "unreachable 10.245.0.0/16 metric 15000",
    "unreachable 10.97.0.0/16 metric 15000",
]
GATEWAY_ROUTES = [
    "10.245.0.0/16 dev ipsec0 scope link src 10.244.2.1 metric 50",
    "10.97.0.0/16 dev ipsec0 scope link src 10.244.2.1 metric 50",
    "unreachable 10.245.0.0/16 metric 15000",
    "unreachable 10.97.0.0/16 metric 15000",
]


@pytest.mark.parametrize("backend", ["nft", "legacy"])
async def test_uninstalling_leaves_the_node_as_it_was(node, tmp_path, backend):
    # The legacy backend has no way to remove a table again, so they count as there before.
    for table in ("filter", "nat", "mangle"):
        run("iptables-legacy", "-t", table, "-L", "-n")
    before = held()
    async with agent(api_server(AS_GATEWAY), tmp_path, backend):
        await until(lambda: routes("150") == GATEWAY_ROUTES)
    assert held() != before

    async with host_of(tmp_path, backend) as host:
        # As the program does: it cannot know which of the two holds our rules.
        await clean_node(host, [kernel_packet_filter(SystemCommand(), 4, one) for one in BACKENDS], 4)

    assert held() == before
    assert list(tmp_path.iterdir()) == []


async def test_a_restarted_agent_writes_nothing(node, tmp_path):
    api = api_server()
    async with agent(api, tmp_path):
        await until(lambda: routes() == WORKER_ROUTES)
    before = held()

    async with agent(api, tmp_path) as again:
        await until(lambda: again.health.unreadiness() == "")

    assert _samples(again, "isthmus_writes_total") == {}
    assert _samples(again, "isthmus_pass_failures_total") == {}
    assert held() == before


def _samples(daemon: Daemon, name: str) -> dict[str, float]:
    """The metric's values that are not zero, by step."""
    return {
        sample.labels["step"]: sample.value
        for metric in daemon.health.registry.collect()
        for sample in metric.samples
        if sample.name == name and sample.value
    }


async def test_an_agents_own_writes_do_not_keep_it_busy(node, tmp_path):
    async with agent(api_server(), tmp_path) as daemon:
        await until(lambda: daemon.health.unreadiness() == "")
        await asyncio.sleep(2)  # the news of its own writes has been heard by now
        before = daemon.health.registry.get_sample_value("isthmus_passes_total")
        await asyncio.sleep(3)

        assert daemon.health.registry.get_sample_value("isthmus_passes_total") == before


async def test_a_worker_becomes_the_gateway_and_a_worker_again(node, tmp_path):
    api = api_server()
    async with agent(api, tmp_path):
        await until(lambda: routes() == WORKER_ROUTES)
        as_worker = _without_indexes(held())

        await api.delete(ENDPOINTS, NAMESPACE, AS_WORKER["metadata"]["name"])
        api.put(AS_GATEWAY)
        await until(lambda: routes("150") == GATEWAY_ROUTES and "lookup 150" in run("ip", "rule"))
        await until(lambda: routes() == [])

        await api.delete(ENDPOINTS, NAMESPACE, AS_GATEWAY["metadata"]["name"])
        api.put(AS_WORKER)
        await until(lambda: routes() == WORKER_ROUTES)
        await until(lambda: _without_indexes(held()) == as_worker)


async def test_what_is_taken_away_comes_back_at_once(node, tmp_path):
    async with agent(api_server(AS_GATEWAY), tmp_path):
        await until(lambda: "lookup 150" in run("ip", "rule"))
        before = held()

        for damage in (
            ("ip", "route", "flush", "table", "150"),
            ("ip", "rule", "del", "priority", "150"),
            ("ip", "link", "del", "vx-submariner"),
            ("ip", "-4", "address", "flush", "dev", "vx-submariner"),
            ("ip", "link", "set", "vx-submariner", "down"),
        ):
            run(*damage)
            assert _without_indexes(held()) != _without_indexes(before), damage
            await until(lambda: _without_indexes(held()) == _without_indexes(before))


def _without_indexes(shown: dict[str, str]) -> dict[str, object]:
    """A link that was made anew has another index and stands elsewhere in lists."""
    return {
        view: sorted(word for word in text.split() if not word.rstrip(":").isdigit())
        for view, text in shown.items()
    }


async def test_a_flushed_chain_comes_back_with_the_next_pass(node, tmp_path):
    async with agent(api_server(), tmp_path) as daemon:
        await until(lambda: routes() == WORKER_ROUTES)
        before = held()

        run("iptables-nft", "-F", "SUBMARINER-FORWARD")
        run("iptables-nft", "-t", "nat", "-I", "POSTROUTING", "-j", "MASQUERADE")
        run("ipset", "flush", "SUBMARINER-REMOTECIDRS")
        daemon.passes.kick()

        await until(lambda: held()["ipset save"] == before["ipset save"])
        await until(lambda: "-A SUBMARINER-FORWARD" in run("iptables-nft-save"))
        await until(
            lambda: (
                run("iptables-nft", "-t", "nat", "-S", "POSTROUTING").splitlines()[1].count("SUBMARINER") == 1
            )
        )


async def test_charons_device_goes_and_its_routes_return_with_it(node, tmp_path):
    api = api_server(AS_GATEWAY)
    async with agent(api, tmp_path):
        await until(lambda: routes("150") == GATEWAY_ROUTES)

        run("ip", "link", "del", "ipsec0")
        await until(lambda: routes("150") == GATEWAY_ROUTES[2:])
        assert "unreachable" in run("ip", "route", "show", "table", "150", "match", "10.245.0.1")
        await until(lambda: "waiting for the device ipsec0" in _told(api))

        veth("ipsec0")
        await until(lambda: routes("150") == GATEWAY_ROUTES)
        await until(lambda: "waiting" not in _told(api))


def _told(api: FakeKube) -> str:
    """What the node's RouteAgent object says."""
    shown = [item for item in api.objects(ROUTE_AGENTS) if item["metadata"]["name"] == "east-worker"]
    return str(shown)


async def test_an_interface_in_the_way_is_named_and_nothing_leaves_in_the_clear(node, tmp_path):
    run("ip", "link", "add", "vx-submariner", "type", "vxlan", "id", "7", "dstport", "4790")
    run("ip", "link", "set", "vx-submariner", "up")
    run("ip", "address", "add", "198.51.100.1/24", "dev", "vx-submariner")
    api = api_server()
    async with agent(api, tmp_path):
        await until(lambda: "interface vx-submariner (kind vxlan) is in the way" in _told(api))

        assert routes() == WORKER_ROUTES[2:]
        assert "REJECT" in run("iptables-nft", "-S", "SUBMARINER-GUARD")
        assert "198.51.100.1/24" in run("ip", "address", "show", "dev", "vx-submariner")

        run("ip", "link", "del", "vx-submariner")
        await until(lambda: routes() == WORKER_ROUTES)

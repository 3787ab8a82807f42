"""The whole data path with ESP in the kernel: real charons, the route agent's tables, every kind of client.

Needs a kernel that takes ESP states. `make test-vm` brings one.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

import pytest

from gateway.plan.ipsec import IpsecOptions
from gateway.strongswan import StrongswanDriver
from gateway.sweeper import Sweeper
from isthmus.charon.healing import SETTLE_SECONDS
from isthmus.charon.records import Psk
from isthmus.lab.charon import detect_esp
from isthmus.reconcile.clock import SystemClock
from tests import netns
from tests.charon.pair import KEY, Gateway
from tests.kernel import echoclient
from tests.kernel.routeagent_rig import (
    EAST,
    GATEWAY,
    NUMBERS,
    PORT,
    SITES,
    WEST,
    WORKER,
    Rig,
    Site,
    two_clusters,
)
from tests.vm.cables import PATIENCE_SECONDS, Cables, CommandInside, cables, crossed, open_for_ipsec

pytestmark = pytest.mark.root

OTHER = {EAST.name: WEST, WEST.name: EAST}
PLACES = {GATEWAY: "gateway", WORKER: "worker"}
ANSWER_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class World:
    """Two joined clusters."""

    rig: Rig
    cables: Cables

    def ask(self, namespace: str, protocol: str, address: str, kilobytes: int = 1, source: str = "") -> str:
        """What the server answers; patient, and without a program to start."""
        with netns.inside(namespace):
            return echoclient.ask(protocol, address, PORT, kilobytes, source, ANSWER_SECONDS)

    def client(self, site: Site, kind: str, number: int) -> str:
        return self.rig.pod(site, number) if kind == "pod" else self.rig.node(site, number)

    def xfrm(self, site: Site, what: str) -> list[str]:
        """The states or policies of a gateway, one line each; not those of charon's own sockets."""
        shown = self.rig.run(self.rig.node(site, GATEWAY), "ip", "-o", "xfrm", what)
        return [line for line in shown.splitlines() if not re.search(r"\bsocket (in|out)\b", line)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    assert detect_esp() == "kernel", (
        "this kernel refuses ESP states: `make test-vm` boots one that takes them"
    )
    directory = tmp_path_factory.mktemp("esp")
    with two_clusters(directory, open_for_ipsec) as rig, cables(rig, directory) as running:
        for site in SITES:
            for number in NUMBERS:
                rig.apply(site, number, cable=None)
        running.want(joined=True)
        running.connected()
        yield World(rig, running)
        print(f"{crossed(rig)}, {rig.clear_packets()} in the clear")


@pytest.fixture(autouse=True)
def nothing_in_the_clear(world: World) -> Iterator[None]:
    """Whatever a test does, the WAN sees no packet but ESP and IKE."""
    yield
    assert (world.rig.clear_packets(), crossed(world.rig).others) == (0, 0)


def test_it_is_the_kernel_that_encrypts(world: World):
    facts = world.cables.do(world.cables.pair.east.driver.prepare())

    assert (facts.esp, facts.interface_name, facts.needs_subnet_addresses) == ("kernel", None, False)
    assert len(world.xfrm(EAST, "state")) == 2


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("target", ["pod", "cluster_ip"])
@pytest.mark.parametrize("server", NUMBERS, ids=lambda number: f"on_{PLACES[number]}")
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: PLACES[number])
@pytest.mark.parametrize("kind", ["pod", "host"])
@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_a_client_is_served_and_the_server_sees_an_address_of_its_pod_network(
    world: World, site: Site, kind: str, number: int, server: int, target: str, protocol: str
):
    other = OTHER[site.name]
    address = other.pod(server) if target == "pod" else other.cluster_ip(server)
    before = crossed(world.rig).esp

    answer = world.ask(world.client(site, kind, number), protocol, address)

    seen = site.pod(number) if kind == "pod" else site.cni(number)
    assert answer == f"{other.name}-{server} {seen}"
    assert crossed(world.rig).esp >= before + 2


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: PLACES[number])
def test_a_host_process_bound_to_the_nodes_address_is_served_as_well(world: World, number: int):
    """Its packets match a policy only after their source was translated."""
    answer = world.ask(world.rig.node(EAST, number), "tcp", WEST.pod(WORKER), source=EAST.address(number))

    assert answer == f"west-{WORKER} {EAST.cni(number)}"


@pytest.mark.parametrize("kind", ["pod", "host"])
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: PLACES[number])
def test_a_packet_that_must_not_be_cut_fits_the_tunnel_or_its_sender_hears_of_the_mtu(
    world: World, kind: str, number: int
):
    client, size, heard = world.client(EAST, kind, number), 1500, [1500]
    # The worker hears of its overlay first, and then from the gateway of the tunnel.
    for _ in range(3):
        ping = f"ping -M do -c 3 -i 0.5 -W 10 -s {size - 28} {WEST.pod(WORKER)} 2>&1; true"
        told = world.rig.run(client, "sh", "-c", ping)
        size = min((int(mtu) for mtu in re.findall(r"mtu ?= ?(\d+)", told)), default=size)
        heard.append(size)

    print(f"{kind} on {PLACES[number]}: path MTU {heard}")
    assert 1400 <= size < 1500
    assert " 0% packet loss" in told


def test_two_megabytes_go_through_although_no_node_may_hear_that_packets_are_too_big(world: World):
    pods = [world.rig.pod(site, number) for site in SITES for number in NUMBERS]
    rule = ("-p", "icmp", "--icmp-type", "fragmentation-needed", "-j", "DROP")
    for pod in pods:
        world.rig.run(pod, "iptables-nft", "-A", "INPUT", *rule)
    since = time.monotonic()
    answer = world.ask(world.rig.pod(EAST, WORKER), "tcp", WEST.cluster_ip(WORKER), kilobytes=2 * 1024)
    print(f"2 MiB in {time.monotonic() - since:.1f} s")
    for pod in pods:
        world.rig.run(pod, "iptables-nft", "-D", "INPUT", *rule)

    assert answer == f"west-{WORKER} {EAST.pod(WORKER)}"


def test_a_repeated_pass_of_both_daemons_writes_nothing(world: World):
    assert [world.rig.apply(site, number, cable=None) for site in SITES for number in NUMBERS] == [0, 0, 0, 0]
    for gateway in (world.cables.pair.east, world.cables.pair.west):
        options = IpsecOptions(Psk(KEY))
        sweeper = Sweeper(CommandInside(gateway.site.name))
        fresh = StrongswanDriver(gateway.charon, options, SystemClock(), sweeper=sweeper)
        outcome = world.cables.do(fresh.sync((gateway.cable(),)))
        assert (outcome.writes, outcome.failures) == (0, ())


def test_without_daemons_traffic_alone_brings_the_tunnel_up(world: World):
    world.cables.stop_daemons()
    try:
        for gateway in (world.cables.pair.east, world.cables.pair.west):
            world.cables.do(_end_all(gateway))
        until(lambda: world.xfrm(EAST, "state") == [] == world.xfrm(WEST, "state"))

        answer = world.ask(world.rig.pod(WEST, WORKER), "tcp", EAST.pod(WORKER))

        assert answer == f"east-{WORKER} {WEST.pod(WORKER)}"
    finally:
        world.cables.start_daemons()
    world.cables.connected()


@pytest.mark.parametrize("victims", ["east", "west", "both"])
def test_a_killed_charon_has_its_tunnel_back_and_leaves_no_states_behind(world: World, victims: str):
    pair = world.cables.pair
    killed = [gateway for gateway in (pair.east, pair.west) if victims in (gateway.cluster_id, "both")]
    with pinging(world.rig.pod(EAST, WORKER), WEST.pod(WORKER)) as flow:
        for gateway in killed:
            gateway.site.kill()
        time.sleep(2)
        since = time.monotonic()
        for gateway in killed:
            gateway.site.start()
        world.cables.connected()
        print(f"{victims}: both ends connected {time.monotonic() - since:.1f} s after the start of charon")
        answer = world.ask(world.rig.pod(EAST, WORKER), "tcp", WEST.cluster_ip(WORKER))
        print(f"first answer {time.monotonic() - since:.1f} s after the start of charon")
    print(f"{victims}: {lost(flow.summary)} pings lost, ten a second")

    assert answer == f"west-{WORKER} {EAST.pod(WORKER)}"
    until(lambda: [len(world.xfrm(site, "state")) for site in SITES] == [2, 2])


def test_changed_subnets_reach_both_ends_while_packets_flow(world: World):
    pair, more = world.cables.pair, IPv4Network("10.25.0.0/16")
    before, grown = pair.west.local, pair.west.endpoint(more)

    with pinging(world.rig.pod(EAST, WORKER), WEST.pod(WORKER)) as flow:
        since = time.monotonic()
        world.cables.change(west=grown)
        until(lambda: all(str(more) in "".join(world.xfrm(site, "policy")) for site in SITES))
        world.cables.connected()
        until(lambda: [len(world.xfrm(site, "state")) for site in SITES] == [2, 2])
        print(f"grown after {time.monotonic() - since:.1f} s")
        world.cables.change(west=before)
        until(lambda: all(str(more) not in "".join(world.xfrm(site, "policy")) for site in SITES))
        world.cables.connected()
        print(f"and back after {time.monotonic() - since:.1f} s")
    print(f"{lost(flow.summary)} pings lost, ten a second")
    assert lost(flow.summary) <= 2
    assert len(world.xfrm(EAST, "policy")) == 12


@pytest.mark.parametrize("side", ["east", "west"])
def test_a_rekeying_is_not_taken_for_a_loss(world: World, side: str):
    """The driver looks all the time while charon replaces the tunnel's half in the kernel."""
    gateway = {"east": world.cables.pair.east, "west": world.cables.pair.west}[side]
    (before,) = world.cables.do(gateway.sas())
    time.sleep(SETTLE_SECONDS)
    uri, child = gateway.site.settings.vici_uri, before.children[0]

    with pinging(world.rig.pod(EAST, WORKER), WEST.pod(WORKER)) as flow:
        netns.run("swanctl", "--rekey", "--uri", uri, "--child-id", str(child.unique_id))
        for _ in range(20):
            world.cables.kick()
            time.sleep(0.3)
        until(lambda: [len(world.xfrm(site, "state")) for site in SITES] == [2, 2])

    (after,) = world.cables.do(gateway.sas())
    assert after.unique_id == before.unique_id
    assert after.children[0].spi_in != child.spi_in
    assert lost(flow.summary) <= 1


@pytest.mark.parametrize("what", ["policy", "state"])
def test_what_somebody_flushed_in_the_kernel_is_back_with_the_next_pass(world: World, what: str):
    time.sleep(SETTLE_SECONDS)
    world.rig.run(world.rig.node(EAST, GATEWAY), "ip", "xfrm", what, "flush")

    since = time.monotonic()
    world.cables.kick()
    until(
        lambda: (
            [len(world.xfrm(site, "state")) for site in SITES] == [2, 2]
            and len(world.xfrm(EAST, "policy")) == 12
        )
    )
    world.cables.connected()
    print(f"flushed {what}: back after {time.monotonic() - since:.1f} s")

    answer = world.ask(world.rig.pod(EAST, WORKER), "tcp", WEST.pod(WORKER))
    assert answer == f"west-{WORKER} {EAST.pod(WORKER)}"


def test_flushed_policies_and_states_let_nothing_out(world: World):
    world.cables.stop_daemons()
    gateway = world.rig.node(EAST, GATEWAY)
    world.rig.run(gateway, "ip", "xfrm", "policy", "flush")
    world.rig.run(gateway, "ip", "xfrm", "state", "flush")

    for kind in ("pod", "host"):
        for number in NUMBERS:
            with netns.inside(world.client(EAST, kind, number)):
                answer = echoclient.ask("udp", WEST.pod(WORKER), PORT, seconds=2.0)
            assert answer.startswith("failed:")
    world.cables.start_daemons()
    world.cables.connected()


def test_parted_gateways_have_no_policy_and_no_state_left(world: World):
    world.cables.want(joined=False)

    until(
        lambda: [world.xfrm(site, what) for site in SITES for what in ("policy", "state")] == [[], [], [], []]
    )


def test_without_charon_a_gateway_is_removed_with_its_states_and_policies(world: World):
    world.cables.want(joined=True)
    world.cables.connected()
    world.cables.stop_daemons()
    for gateway in (world.cables.pair.east, world.cables.pair.west):
        gateway.site.kill()
    assert len(world.xfrm(EAST, "state")) == 2

    for gateway in (world.cables.pair.east, world.cables.pair.west):
        gateway.restart_daemon()
        world.cables.do(gateway.driver.cleanup())

    assert [world.xfrm(site, what) for site in SITES for what in ("policy", "state")] == [[], [], [], []]


async def _end_all(gateway: Gateway) -> None:
    for sa in await gateway.sas():
        await gateway.charon.terminate_ike(sa.unique_id)


def until(true: object, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until *true* says so."""
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.2)


def lost(summary: str) -> int:
    """How many packets ping misses; the last one may still have been on its way."""
    sent, received = (int(count) for count in re.findall(r"(\d+) (?:packets transmitted|received)", summary))
    return sent - received


class pinging:
    """A flow of ten packets a second, and what became of it."""

    def __init__(self, namespace: str, address: str) -> None:
        self._argv = ("ip", "netns", "exec", namespace, "ping", "-q", "-i", "0.1", address)
        self.summary = ""

    def __enter__(self) -> pinging:
        self._flow = subprocess.Popen(self._argv, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._flow.send_signal(signal.SIGINT)
        self.summary = self._flow.communicate()[0]

"""Packets through four nodes that the route agent programmed: each kind of client to each kind of server."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests import builders
from tests.kernel.routeagent_rig import EAST, GATEWAY, NUMBERS, SITES, WEST, WORKER, Rig, Site, two_clusters

pytestmark = pytest.mark.root

OTHER = {EAST.name: WEST, WEST.name: EAST}
PLACES = {GATEWAY: "gateway", WORKER: "worker"}


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with two_clusters(tmp_path_factory.mktemp("state")) as rig:
        for site in SITES:
            for number in NUMBERS:
                rig.apply(site, number)
        yield rig
        assert rig.clear_packets() == 0


@pytest.fixture
def closed(joined: Rig) -> Iterator[Rig]:
    """The same, brought back to order after a test that broke something in east."""
    yield joined
    for number in NUMBERS:
        joined.apply(EAST, number)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("target", ["pod", "cluster_ip"])
@pytest.mark.parametrize("server", NUMBERS, ids=lambda number: f"on_{PLACES[number]}")
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: PLACES[number])
@pytest.mark.parametrize("kind", ["pod", "host"])
@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_a_client_is_served_and_the_server_sees_an_address_of_its_pod_network(
    joined: Rig, site: Site, kind: str, number: int, server: int, target: str, protocol: str
):
    other = OTHER[site.name]
    address = other.pod(server) if target == "pod" else other.cluster_ip(server)
    client = joined.pod(site, number) if kind == "pod" else joined.node(site, number)

    answer = joined.ask(client, protocol, address)

    seen = site.pod(number) if kind == "pod" else site.cni(number)
    assert answer == f"{other.name}-{server} {seen}"


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: PLACES[number])
def test_a_host_process_bound_to_the_nodes_address_is_served_as_well(joined: Rig, number: int):
    answer = joined.ask(joined.node(EAST, number), "tcp", WEST.pod(WORKER), source=EAST.address(number))

    assert answer == f"west-{WORKER} {EAST.cni(number)}"


def test_ten_megabytes_go_through_although_no_node_may_hear_that_packets_are_too_big(joined: Rig):
    for number in NUMBERS:
        _deaf(joined, joined.pod(EAST, number), "-A")
        _deaf(joined, joined.pod(WEST, number), "-A")
    try:
        answer = joined.ask(joined.pod(EAST, WORKER), "tcp", WEST.cluster_ip(WORKER), kilobytes=10 * 1024)
    finally:
        for number in NUMBERS:
            _deaf(joined, joined.pod(EAST, number), "-D")
            _deaf(joined, joined.pod(WEST, number), "-D")

    assert answer == f"west-{WORKER} {EAST.pod(WORKER)}"


def _deaf(rig: Rig, namespace: str, verb: str) -> None:
    rule = ("-p", "icmp", "--icmp-type", "fragmentation-needed", "-j", "DROP")
    rig.run(namespace, "iptables-nft", verb, "INPUT", *rule)


@pytest.mark.parametrize("kind", ["pod", "host"])
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: PLACES[number])
def test_a_packet_that_must_not_be_cut_fits_the_tunnel_or_its_sender_hears_of_the_mtu(
    joined: Rig, kind: str, number: int
):
    client = joined.pod(EAST, number) if kind == "pod" else joined.node(EAST, number)
    fits = ("ping", "-M", "do", "-c", "1", "-W", "2", "-s", str(1400 - 28), WEST.pod(WORKER))

    assert " 0% packet loss" in joined.run(client, *fits)
    told = joined.run(client, "sh", "-c", f"ping -M do -c 2 -W 1 -s 1390 {WEST.pod(WORKER)} 2>&1; true")
    assert "mtu" in told.lower()


@pytest.mark.parametrize(
    ("number", "damage"),
    [
        (GATEWAY, "ip link set ipsec0 down"),
        (GATEWAY, "ip route flush table 150"),
        (GATEWAY, "ip rule del priority 150"),
        (GATEWAY, "ip rule del priority 150 && ip route flush proto 150"),
        (GATEWAY, "iptables-nft -F SUBMARINER-FORWARD && ip route flush table 150"),
        (WORKER, "ip link del vx-submariner"),
        (WORKER, "ip route flush proto 150"),
        (WORKER, "iptables-nft -t mangle -F SUBMARINER-GUARD && ip link set vx-submariner down"),
    ],
)
@pytest.mark.parametrize("kind", ["pod", "host"])
def test_whatever_is_missing_nothing_leaves_in_the_clear(closed: Rig, kind: str, number: int, damage: str):
    client = closed.pod(EAST, number) if kind == "pod" else closed.node(EAST, number)
    closed.run(closed.node(EAST, number), "sh", "-c", damage)
    try:
        tcp = closed.ask(client, "tcp", WEST.pod(WORKER))
        udp = closed.ask(client, "udp", WEST.cluster_ip(GATEWAY))
    finally:
        if "ipsec0" in damage:
            closed.run(closed.node(EAST, number), "ip", "link", "set", "ipsec0", "up")

    assert tcp.startswith("failed:"), tcp
    assert udp.startswith("failed:"), udp
    assert closed.clear_packets() == 0


def test_without_a_tunnel_a_client_hears_at_once_that_there_is_no_way(closed: Rig):
    closed.run(closed.node(EAST, GATEWAY), "ip", "link", "set", "ipsec0", "down")
    try:
        answers = {closed.ask(closed.pod(EAST, n), "tcp", WEST.pod(WORKER)) for n in NUMBERS}
    finally:
        closed.run(closed.node(EAST, GATEWAY), "ip", "link", "set", "ipsec0", "up")

    assert answers == {"failed: [Errno 113] No route to host"}


@pytest.mark.parametrize("source", ["", EAST.address(GATEWAY)], ids=["any_source", "bound_source"])
@pytest.mark.parametrize("kind", ["pod", "host"])
def test_with_ipsec_in_the_kernel_and_no_policy_nothing_leaves(closed: Rig, kind: str, source: str):
    """This kernel takes no ESP states, so only the closed door is shown here."""
    if kind == "pod" and source:
        source = EAST.pod(GATEWAY)
    client = closed.pod(EAST, GATEWAY) if kind == "pod" else closed.node(EAST, GATEWAY)
    closed.apply(EAST, GATEWAY, cable=None)

    answers = [closed.ask(client, protocol, WEST.pod(WORKER), source=source) for protocol in ("tcp", "udp")]
    closed.run(closed.node(EAST, GATEWAY), "ip", "rule", "del", "priority", "150")
    answers += [closed.ask(client, protocol, WEST.pod(WORKER), source=source) for protocol in ("tcp", "udp")]

    assert [answer for answer in answers if not answer.startswith("failed:")] == []
    assert closed.clear_packets() == 0


def test_a_third_member_comes_and_goes_and_passes_repeat_without_the_loss_of_one_packet(joined: Rig):
    north = builders.endpoint("north", "10.98.0.0/16", "10.246.0.0/16", private_ip="192.0.2.9")
    ping = ("ping", "-q", "-i", "0.01", "-w", "4", WEST.pod(WORKER))
    argv = ("ip", "netns", "exec", joined.pod(EAST, WORKER), *ping)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as pinging:
        for others in ((north,), (north,), (), ()):
            for number in NUMBERS:
                joined.apply(EAST, number, *others)
        output, _ = pinging.communicate(timeout=30)

    assert " 0% packet loss" in output, output


def test_the_routers_count_would_see_a_packet_in_the_clear(tmp_path):
    """Without our rules and routes the same rig leaks: the zero above means something."""
    with two_clusters(tmp_path) as rig:
        rig.ask(rig.node(EAST, GATEWAY), "udp", WEST.pod(WORKER))

        assert rig.clear_packets() > 0

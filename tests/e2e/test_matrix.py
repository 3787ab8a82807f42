"""Everybody reaches everybody: from Pods and hosts, by Pod IP and ClusterIP, in both directions."""

from __future__ import annotations

import re
from itertools import product

import pytest

from isthmus.lab.lab import Lab
from tests.e2e.conftest import MODES
from tests.e2e.flows import ask_by_tcp, ask_by_udp, target

DIRECTIONS = (("east", "west"), ("west", "east"))
CLIENTS = tuple(product(("pod", "host"), ("worker", "gateway")))
SERVERS = tuple(product(("worker", "gateway"), ("Pod IP", "ClusterIP")))
MIB_10 = 10 * 1024 * 1024

pytestmark = pytest.mark.parametrize("joined", MODES, indirect=True)


def place_of(cluster: str, kind: str, role: str) -> str:
    return f"{cluster}/web-{role}" if kind == "pod" else f"{cluster}-{role}"


def seen_address(lab: Lab, cluster: str, kind: str, role: str) -> str:
    """What the server must see: the Pod itself, or for a host the node's address in the Pod CIDR."""
    node = lab.topology.node(f"{cluster}-{role}")
    return str(node.pods[0].address if kind == "pod" else node.bridge_address.ip)


@pytest.mark.parametrize("direction", DIRECTIONS, ids="-to-".join)
@pytest.mark.parametrize("client", CLIENTS, ids="-on-".join)
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: f"{server[0]} by {server[1]}")
def test_a_client_reaches_a_server_of_the_other_cluster_and_is_seen_as_itself(
    joined: Lab, direction: tuple[str, str], client: tuple[str, str], server: tuple[str, str]
) -> None:
    here, there = direction
    place = place_of(here, *client)
    where = target(joined, there, *server)

    for ask in (ask_by_tcp, ask_by_udp):
        answer = ask(joined, place, where)

        assert answer == {"server": f"{there}/web-{server[0]}", "client": seen_address(joined, here, *client)}


@pytest.mark.parametrize("direction", DIRECTIONS, ids="-to-".join)
@pytest.mark.parametrize("kind", ["Pod IP", "ClusterIP"])
def test_ten_mebibytes_arrive_whole(joined: Lab, direction: tuple[str, str], kind: str) -> None:
    where = target(joined, direction[1], "worker", kind)
    url = f"http://{where.address}:{where.port}/bytes?n={MIB_10}"

    said = joined.check(
        f"{direction[0]}/web-worker",
        ["curl", "-sS", "-m", "60", "-o", "/dev/null", "-w", "%{size_download}", url],
    )

    assert int(said) == MIB_10


@pytest.mark.parametrize("direction", DIRECTIONS, ids="-to-".join)
@pytest.mark.parametrize("role", ["worker", "gateway"])
def test_unfragmentable_packets_pass_up_to_the_path_mtu_and_hear_of_it_above(
    joined: Lab, direction: tuple[str, str], role: str
) -> None:
    here, there = direction
    where = target(joined, there, "worker", "Pod IP")
    tunnel = joined.check(f"{here}-gateway", ["ip", "-o", "link", "show", "ipsec0"])
    found = re.search(r"mtu (\d+)", tunnel)
    assert found, tunnel
    payload = int(found[1]) - 28
    ping = ["ping", "-n", "-c", "3", "-i", "0.2", "-W", "2", "-M", "do", "-s"]

    fits = joined.run(f"{here}/web-{role}", [*ping, str(payload), where.address])
    too_long = joined.run(f"{here}/web-{role}", [*ping, str(payload + 1), where.address])

    assert " 0% packet loss" in fits.stdout, fits.stdout
    assert not too_long.ok
    assert re.search(rf"mtu ?=? ?{found[1]}", too_long.stdout + too_long.stderr, re.IGNORECASE), (
        too_long.stdout
    )

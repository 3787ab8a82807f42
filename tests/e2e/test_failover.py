"""The gateway moves to another node: when it is told to, when its node dies, and back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from isthmus.lab import charon, clusterset
from isthmus.lab import lab as labs
from isthmus.lab.lab import Lab
from isthmus.lab.supervisor import parse_unit
from isthmus.lab.topology import ClusterShape, build
from tests.e2e.flows import Target, ask_by_tcp, pinging, target
from tests.e2e.patience import eventually

NAME = "e2emove"
LEASE_SECONDS = 15.0
FIRST, SECOND = "east-gateway-1", "east-gateway-2"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    labs.down(print, NAME)
    lab = labs.up(build((ClusterShape("east", gateways=2), ClusterShape("west"))), print, NAME)
    clusterset.join_all(lab, print)
    yield lab
    labs.down(print, NAME)


def leader(lab: Lab) -> str:
    """The node that west's gateway is connected to."""
    path = "jsonpath={.status.connections[*].endpoint.hostname}"
    return lab.kubectl(
        "west", "get", "gateway", "west-gateway", "-n", "submariner-operator", "-o", path
    ).strip()


def leads(lab: Lab, node: str) -> None:
    assert leader(lab) == node
    rows = clusterset.connections(lab, ["west"])
    assert [row.status for row in rows] == ["connected"], rows


def answers(lab: Lab, server: Target) -> None:
    done = lab.run("east/web-worker", ["curl", "-sS", "-m", "2", f"http://{server.address}:{server.port}/"])
    assert done.ok, done.stderr


def test_the_gateway_moves_when_its_daemon_is_stopped_and_traffic_follows(lab: Lab) -> None:
    first = leader(lab)
    second = SECOND if first == FIRST else FIRST
    server = target(lab, "west", "worker", "Pod IP")

    with pinging(lab, "east/web-worker", server.address) as flow:
        unit = parse_unit((lab.machine(first).directory / "units" / "isthmus-gateway.json").read_text())
        lab.machine(first).drop("isthmus-gateway")
        eventually(lambda: leads(lab, second))
        eventually(lambda: answers(lab, server))
    lab.machine(first).put("isthmus-gateway", unit)

    print(f"{flow.longest_gap:.1f} s without an answer")
    assert flow.longest_gap < LEASE_SECONDS
    answer = ask_by_tcp(lab, "east/web-worker", target(lab, "west", "worker", "ClusterIP"))
    assert answer == {"server": "west/web-worker", "client": "10.10.2.10"}
    back = ask_by_tcp(lab, "west/web-worker", target(lab, "east", "worker", "ClusterIP"))
    assert back == {"server": "east/web-worker", "client": "10.20.1.10"}


def test_another_node_takes_over_when_the_gateways_node_is_cut_off(lab: Lab) -> None:
    first = leader(lab)
    second = SECOND if first == FIRST else FIRST
    server = target(lab, "west", "worker", "Pod IP")

    with pinging(lab, "east/web-worker", server.address) as flow:
        lab.check(first, ["ip", "link", "set", "eth0", "down"])
        eventually(lambda: leads(lab, second), seconds=60)
        eventually(lambda: answers(lab, server))
    print(f"{flow.longest_gap:.1f} s without an answer")
    lab.check(first, ["ip", "link", "set", "eth0", "up"])
    lab.check(first, ["ip", "route", "replace", "default", "via", "172.31.1.1"])

    assert flow.longest_gap < LEASE_SECONDS + 20
    assert charon.NAME in lab.machine(second).running()

"""A third cluster comes and goes; the pair that was there does not notice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from isthmus.lab import clusterset
from isthmus.lab import lab as labs
from isthmus.lab.lab import Lab
from isthmus.lab.topology import ClusterShape, build
from tests.e2e.flows import ask_by_tcp, pinging, target

NAME = "e2ethird"


@pytest.fixture
def lab() -> Iterator[Lab]:
    labs.down(print, NAME)
    yield labs.up(build((ClusterShape("east"), ClusterShape("west"), ClusterShape("north"))), print, NAME)
    labs.down(print, NAME)


def test_a_third_cluster_joins_and_leaves_without_loss_in_the_pairs_flows(lab: Lab) -> None:
    pair = ("east", "west")
    clusterset.deploy_broker(lab, "east")
    for cluster in pair:
        clusterset.join(lab, cluster, print)
    clusterset.wait_connected(lab, pair)
    west = target(lab, "west", "worker", "Pod IP")
    east = target(lab, "east", "gateway", "Pod IP")

    with (
        pinging(lab, "east/web-worker", west.address) as eastern,
        pinging(lab, "west/web-worker", east.address) as western,
    ):
        clusterset.join(lab, "north", print)
        clusterset.wait_connected(lab, (*pair, "north"))
        north = ask_by_tcp(lab, "north/web-worker", target(lab, "west", "worker", "ClusterIP"))
        clusterset.leave(lab, "north", print)
        wait_forgotten(lab, "north", pair)

    assert north == {"server": "west/web-worker", "client": "10.30.1.10"}
    for flow in (eastern, western):
        print(f"{flow.sent} sent, {flow.lost} lost, {flow.longest_gap:.2f} s between two answers at most")
        assert flow.lost == 0, flow.output[-300:]


def wait_forgotten(lab: Lab, gone: str, others: tuple[str, ...]) -> None:
    """Return once no gateway of *others* knows *gone* any more."""
    for _ in range(300):
        if gone not in {row.remote for row in clusterset.connections(lab, others)}:
            return
    raise AssertionError(f"{gone} is still known: {clusterset.connections(lab, others)}")

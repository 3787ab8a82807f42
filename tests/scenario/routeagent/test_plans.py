"""Whole plans as text: what each kind of node holds, to be read beside the packet paths in plan/node.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from routeagent.plan.node import empty_plan, plan_node
from tests.scenario.routeagent.text import render_plan
from tests.unit.routeagent.worlds import GATEWAY, WORKER, own, west, world

EXPECTED = Path(__file__).parent / "expected"
INSIDE = west("172.16.0.0/24", config={"udp-port": "4501"})

SNAPSHOTS = {
    "gateway": world(GATEWAY, west(), local=own()),
    "gateway_with_ipsec_in_the_kernel": world(GATEWAY, west(), local=own(interface=None)),
    "gateway_of_a_peer_inside_its_subnet": world(GATEWAY, INSIDE, local=own()),
    "worker": world(WORKER, west(), local=own()),
    "detached": world(WORKER, west()),
    "after_a_member_left": world(WORKER, local=own(), departed=["10.97.0.0/16", "10.245.0.0/16"]),
}


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_the_plan_is_exactly_this_text(name):
    assert render_plan(plan_node(SNAPSHOTS[name], 4)) == (EXPECTED / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_a_plan_for_ipv6_names_no_ipv4_address(name):
    text = render_plan(plan_node(SNAPSHOTS[name], 6))

    assert "10.97.0.0" not in text
    assert "ip route" not in text


def test_a_removed_node_has_an_empty_plan():
    assert render_plan(empty_plan(4)).strip() == ""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.cli.faults import Fault
from isthmus.cli.gatewaynode import GatewayNodes, choose_gateways

GATEWAY = {"submariner.io/gateway": "true"}
CONTROL = {"node-role.kubernetes.io/control-plane": ""}
WORKER = {"node-role.kubernetes.io/worker": ""}


def node(name: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def test_a_labelled_node_is_kept():
    assert choose_gateways([node("a"), node("b", GATEWAY)], [], label=True) == GatewayNodes(("b",), ())


def test_without_one_the_first_worker_is_chosen():
    nodes = [node("a", CONTROL), node("c"), node("b", WORKER)]

    assert choose_gateways(nodes, [], label=True) == GatewayNodes((), ("b",))


def test_without_role_labels_a_control_plane_is_passed_over():
    assert choose_gateways([node("a", CONTROL), node("b")], [], label=True) == GatewayNodes((), ("b",))


def test_a_single_node_cluster_uses_its_control_plane():
    assert choose_gateways([node("a", CONTROL)], [], label=True) == GatewayNodes((), ("a",))


def test_named_nodes_are_labelled_beside_those_that_are():
    nodes = [node("a", GATEWAY), node("b"), node("c")]

    assert choose_gateways(nodes, ["a", "c", "c"], label=False) == GatewayNodes(("a",), ("c",))


def test_nothing_is_labelled_when_that_is_not_wanted():
    assert choose_gateways([node("a")], [], label=False) == GatewayNodes((), ())


def test_an_unknown_node_is_refused_with_the_known_ones():
    with pytest.raises(Fault, match=r"no node 'z'; its nodes: a, b"):
        choose_gateways([node("b"), node("a")], ["z"], label=True)


def test_a_cluster_without_nodes_is_refused():
    with pytest.raises(Fault, match="no node of this cluster"):
        choose_gateways([], [], label=True)

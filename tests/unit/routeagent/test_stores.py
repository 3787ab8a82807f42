from __future__ import annotations

from isthmus.kube.api import WatchEvent
from routeagent.stores import Stores
from tests import builders
from tests.unit.routeagent.worlds import EAST


def filled() -> Stores:
    stores = Stores()
    stores.clusters.replace(
        [builders.cluster_object("west", "10.97.0.0/16", pods=("10.245.0.0/16",), origin="west")]
    )
    stores.endpoints.replace(
        [builders.endpoint_object("west", "10.97.0.0/16", "10.245.0.0/16", origin="west")]
    )
    stores.nodes.replace([{"kind": "Node", "metadata": {"name": name}} for name in ("b", "a")])
    return stores


def test_nothing_is_known_before_every_kind_was_read():
    stores = Stores()
    assert stores.waiting_for() == ("Cluster", "Endpoint", "Node")

    stores.clusters.replace([])
    stores.endpoints.note_error("connection refused")
    assert stores.waiting_for() == ("Endpoint (connection refused)", "Node")
    assert stores.troubles() == ("connection refused",)


def test_an_empty_world_is_known_once_it_was_read():
    stores = Stores()
    for store in (stores.clusters, stores.endpoints, stores.nodes):
        store.replace([])

    assert stores.waiting_for() == ()


def test_the_members_are_judged_by_what_the_stores_hold():
    membership = filled().membership(EAST)

    assert [peer.cluster_id for peer in membership.peers] == ["west"]


def test_an_object_that_does_not_parse_is_a_refusal():
    stores = filled()
    bad = builders.endpoint_object("north", "10.98.0.0/16", origin="north")
    bad["spec"]["subnets"] = ["10.98.0.1/16"]
    stores.endpoints.apply(WatchEvent("ADDED", bad))

    membership = stores.membership(EAST)

    assert [refusal.cluster_id for refusal in membership.refusals] == ["north"]
    assert len(membership.peers) == 1


def test_nodes_come_in_the_order_of_their_names():
    assert [node.name for node in filled().sorted_nodes()] == ["a", "b"]

from __future__ import annotations

from ipaddress import ip_address

from gateway.plan.cables import plan_cable, plan_cables
from isthmus.membership.judge import Membership, Peer
from tests.builders import endpoint, endpoint_spec

LOCAL = endpoint_spec("east", "10.1.0.0/16", private_ip="192.0.2.1")


def membership(*cluster_ids: str) -> Membership:
    peers = [endpoint(cluster_id, "10.2.0.0/16") for cluster_id in cluster_ids]
    return Membership(None, tuple(Peer(peer.spec.cluster_id, peer) for peer in peers), ())


def test_each_peer_gets_a_cable_and_their_order_does_not_depend_on_who_came_first():
    forward, backward = (
        plan_cables(LOCAL, membership("north", "west")),
        plan_cables(LOCAL, membership("west", "north")),
    )

    assert [cable.cluster_id for cable in forward] == ["north", "west"]
    assert forward == backward


def test_nobody_else_no_cable():
    assert plan_cables(LOCAL, membership()) == ()


def test_a_peer_is_reached_at_its_private_address():
    west = endpoint_spec("west", "10.2.0.0/16", private_ip="192.0.2.2", public_ip="203.0.113.2")

    cable = plan_cable(LOCAL, west)

    assert (cable.address, cable.nat) == (ip_address("192.0.2.2"), False)
    assert (cable.local, cable.remote, cable.cable_name) == (LOCAL, west, west.cable_name)


def test_a_peer_behind_a_nat_is_reached_at_its_public_address():
    west = endpoint_spec("west", "10.2.0.0/16", public_ip="203.0.113.2", nat_enabled=True)

    cable = plan_cable(LOCAL, west)

    assert (cable.address, cable.nat) == (ip_address("203.0.113.2"), True)


def test_a_peer_behind_a_load_balancer_is_reached_at_its_public_address():
    west = endpoint_spec(
        "west", "10.2.0.0/16", public_ip="203.0.113.2", config={"using-loadbalancer": "true"}
    )

    assert plan_cable(LOCAL, west).address == ip_address("203.0.113.2")


def test_a_peer_behind_a_nat_without_a_public_address_can_only_be_tried_at_the_private_one():
    west = endpoint_spec("west", "10.2.0.0/16", private_ip="192.0.2.2", nat_enabled=True)

    assert (plan_cable(LOCAL, west).address, plan_cable(LOCAL, west).nat) == (ip_address("192.0.2.2"), False)

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface

from isthmus.dataplane.addresses import Address
from isthmus.dataplane.fdb import FdbEntry
from isthmus.dataplane.neighbours import Neighbour
from routeagent.plan.overlay import cluster_nodes, plan_overlay, vtep, vtep_mac
from routeagent.plan.role import role_of
from tests.unit.routeagent.worlds import GATEWAY, HOSTS, NODES, WORKER, node, own, world


def overlay(snapshot, family=4):
    return plan_overlay(snapshot, role_of(snapshot, family), family)


def test_the_overlay_address_is_the_nodes_with_240_in_front():
    assert vtep(ip_address("10.1.2.3")) == ip_address("240.1.2.3")


def test_the_ipv6_overlay_address_keeps_the_interface_identifier():
    assert vtep(ip_address("2001:db8::a:b")) == ip_address("fd73:7562:6d00::a:b")


def test_a_mac_is_unicast_local_and_the_same_for_whoever_asks():
    mac = vtep_mac(ip_address("10.1.0.1"))

    assert mac == "02:f0:0a:01:00:01"
    assert vtep_mac(ip_address("2001:db8::1")) != vtep_mac(ip_address("2001:db8::2"))


def test_a_worker_knows_the_gateway_and_nobody_else():
    planned = overlay(world(WORKER, local=own()))

    assert planned.addresses == (Address("vx-submariner", ip_interface("240.1.0.2/8")),)
    assert planned.neighbours == (Neighbour("vx-submariner", ip_address("240.1.0.1"), "02:f0:0a:01:00:01"),)
    assert planned.fdb == (FdbEntry("vx-submariner", "02:f0:0a:01:00:01", ip_address("10.1.0.1")),)


def test_a_gateway_knows_every_other_node_and_not_itself():
    nodes = (*NODES, node("east-three", "10.1.0.3"))

    planned = overlay(world(GATEWAY, local=own(), nodes=nodes))

    assert [str(entry.destination) for entry in planned.fdb] == ["10.1.0.2", "10.1.0.3"]


def test_the_link_is_the_same_in_every_role():
    roles = (own(), own(hostname="elsewhere", private_ip="10.1.0.9"), None)

    links = {overlay(world(GATEWAY, local=local)).link for local in roles}

    assert len(links) == 1


def test_the_mtu_leaves_room_for_the_outer_headers():
    assert overlay(world(WORKER, local=own())).link.mtu == 1450
    assert overlay(world(WORKER, local=own()), family=6).link.mtu == 1430


def test_a_detached_node_has_the_link_and_no_partner():
    planned = overlay(world(WORKER))

    assert (planned.neighbours, planned.fdb) == ((), ())


def test_a_worker_whose_overlay_address_equals_the_gateways_does_without_one():
    host = replace(HOSTS[WORKER], private_ip=ip_address("192.1.0.1"))

    planned = overlay(world(WORKER, local=own(), host=host))

    assert planned.addresses == ()
    assert planned.neighbours[0].address == ip_address("240.1.0.1")


def test_a_gateway_keeps_its_overlay_address_whoever_else_has_it():
    nodes = (*NODES, node("twin", "192.1.0.1"))

    planned = overlay(world(GATEWAY, local=own(), nodes=nodes))

    assert planned.addresses == (Address("vx-submariner", ip_interface("240.1.0.1/8")),)
    assert [str(entry.address) for entry in planned.neighbours] == ["240.1.0.2"]
    assert [str(entry.destination) for entry in planned.fdb] == ["10.1.0.2", "192.1.0.1"]


def test_the_gateways_announced_address_counts_as_a_node_even_before_its_node_object_is_seen():
    assert cluster_nodes(world(WORKER, local=own(), nodes=()), 4) == (ip_address("10.1.0.1"),)

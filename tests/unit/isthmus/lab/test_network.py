"""What `ip` is told, as whole text, for the default topology."""

from __future__ import annotations

from ipaddress import IPv4Network

from isthmus.lab import network
from isthmus.lab.state import LabPaths
from isthmus.lab.topology import ClusterShape, build, default_topology

PATHS = LabPaths("blue")
TOPOLOGY = default_topology()
EAST = TOPOLOGY.cluster("east")
SITE = TOPOLOGY.site("east")
WORKER = TOPOLOGY.node("east-worker")


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def test_the_router_has_one_interface_per_site_named_after_it():
    assert network.router_commands(PATHS, TOPOLOGY) == lines(
        """
        link set lo up
        link add east type veth peer name wan netns isl-blue-site-east
        address add 172.31.1.1/24 dev east
        link set east up
        link add west type veth peer name wan netns isl-blue-site-west
        address add 172.31.2.1/24 dev west
        link set west up
        """
    )


def test_a_site_is_a_switch_for_its_machines_alone():
    ports = network.ports_of(TOPOLOGY, SITE)

    assert network.site_commands(ports) == lines(
        """
        link set lo up
        link add lan type bridge
        link set lan up
        link set wan master lan up
        link set n50 master lan up
        link set n51 master lan up
        link set c10 master lan up
        link set wan type bridge_slave flood off
        """
    )


def test_a_node_has_an_uplink_a_pod_bridge_and_a_route_to_its_neighbour_s_pods():
    assert network.node_commands(PATHS, EAST, WORKER, SITE) == lines(
        """
        link set lo up
        link add eth0 type veth peer name n51 netns isl-blue-site-east
        address add 172.31.1.51/24 dev eth0
        link set eth0 up
        route add default via 172.31.1.1
        link add cni0 type bridge
        address add 10.10.1.1/24 dev cni0
        link set cni0 up
        route add 10.10.0.0/24 via 172.31.1.50
        """
    )


def test_a_pod_is_plugged_into_its_node_s_bridge():
    assert network.pod_commands(PATHS, WORKER, WORKER.pods[0], 0) == lines(
        """
        link set lo up
        link add eth0 type veth peer name pod0 netns isl-blue-east-worker
        address add 10.10.1.10/24 dev eth0
        link set eth0 up
        route add default via 10.10.1.1
        """
    )
    assert network.bridge_commands(WORKER) == lines(
        """
        link set pod0 master cni0 up
        link set pod0 type bridge_slave hairpin on
        """
    )


def test_a_control_plane_knows_the_way_to_the_pods():
    assert network.control_plane_commands(PATHS, EAST, SITE) == lines(
        """
        link set lo up
        link add eth0 type veth peer name c10 netns isl-blue-site-east
        address add 172.31.1.10/24 dev eth0
        link set eth0 up
        route add default via 172.31.1.1
        route add 10.10.0.0/24 via 172.31.1.50
        route add 10.10.1.0/24 via 172.31.1.51
        """
    )


def test_nodes_and_the_router_know_the_way_to_the_api_servers_of_a_site():
    _, _, server = network.host_link(PATHS, 1)

    assert network.api_routes(PATHS, TOPOLOGY, TOPOLOGY.site("west")) == [
        f"route add {server.ip} via 172.31.2.10"
    ]


def test_pods_leave_their_cluster_with_their_node_s_address():
    assert "-A POSTROUTING -s 10.10.0.0/16 ! -d 10.10.0.0/16 -j CNI-MASQ" in network.masquerade_rules(EAST)


def test_every_place_has_a_name_of_its_own():
    topology = build(tuple(ClusterShape(f"c{number}", workers=3, pods_per_node=4) for number in range(5)))
    places = network.places(topology)

    assert len(set(places)) == len(places)
    assert {"wan", "site-c0", "c0", "c0-gateway", "c0-web-gateway"} <= set(places)


def test_links_to_this_machine_differ_between_labs_and_clusters():
    links = [
        network.host_link(LabPaths(name), position) for name in ("blue", "red") for position in range(24)
    ]

    assert len({link for link, _, _ in links}) == len(links)
    assert len({address for _, *pair in links for address in pair}) == 2 * len(links)
    assert all(address in IPv4Network("198.18.0.0/15") for _, *pair in links for address in pair)
    assert all(ours.network == theirs.network for _, ours, theirs in links)
    assert all(len(link) <= 15 for link, _, _ in links)


def test_a_lab_that_is_down_has_no_link_to_this_machine():
    assert network.host_links(LabPaths("neverup")) == []

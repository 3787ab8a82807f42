from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from itertools import combinations
from pathlib import Path

import pytest

from isthmus.lab.topology import (
    ClusterShape,
    Topology,
    build,
    default_topology,
    dump_topology,
    load_topology,
)
from isthmus.reconcile.errors import Fatal


def ranges(topology: Topology) -> list[IPv4Network]:
    sites = [site.network for site in topology.sites]
    pods = [cluster.pod_cidr for cluster in topology.clusters]
    return sites + pods + [cluster.service_cidr for cluster in topology.clusters]


def addresses(topology: Topology) -> list[IPv4Address]:
    routers = [site.router.ip for site in topology.sites]
    planes = [cluster.control_plane.ip for cluster in topology.clusters]
    pods = [pod.address for node in topology.nodes for pod in node.pods]
    return routers + planes + pods + [node.address.ip for node in topology.nodes]


def write(directory: Path, text: str) -> Path:
    path = directory / "lab.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_default_is_two_clusters_of_a_gateway_and_a_worker_at_a_site_each():
    topology = default_topology()

    assert [cluster.name for cluster in topology.clusters] == ["east", "west"]
    assert [site.name for site in topology.sites] == ["east", "west"]
    assert [(node.name, node.gateway) for node in topology.nodes] == [
        ("east-gateway", True),
        ("east-worker", False),
        ("west-gateway", True),
        ("west-worker", False),
    ]
    assert [pod.name for node in topology.nodes for pod in node.pods] == ["web-gateway", "web-worker"] * 2


def test_addresses_follow_from_positions():
    topology = default_topology()
    west = topology.cluster("west")
    worker = topology.node("west-worker")

    assert (west.pod_cidr, west.service_cidr) == (IPv4Network("10.20.0.0/16"), IPv4Network("10.25.0.0/16"))
    assert west.control_plane == IPv4Interface("172.31.2.10/24")
    assert worker.address == IPv4Interface("172.31.2.51/24")
    assert worker.pod_cidr == IPv4Network("10.20.1.0/24")
    assert worker.bridge_address == IPv4Interface("10.20.1.1/24")
    assert worker.pods[0].address == IPv4Address("10.20.1.10")


@pytest.mark.parametrize(
    "shapes",
    [
        (ClusterShape("east"), ClusterShape("west")),
        tuple(ClusterShape(f"c{number}", workers=3, pods_per_node=5) for number in range(24)),
        tuple(ClusterShape(f"c{number}", site="here") for number in range(5)),
    ],
    ids=["default", "many", "one-site"],
)
def test_no_two_ranges_overlap_and_no_address_is_given_twice(shapes):
    topology = build(shapes)

    assert not [pair for pair in combinations(ranges(topology), 2) if pair[0].overlaps(pair[1])]
    assert len(set(addresses(topology))) == len(addresses(topology))


def test_clusters_can_share_a_site():
    topology = build((ClusterShape("east", site="here"), ClusterShape("west", site="here")))

    assert [site.name for site in topology.sites] == ["here"]
    assert {node.site for node in topology.nodes} == {"here"}
    assert {node.address.network for node in topology.nodes} == {IPv4Network("172.31.1.0/24")}


def test_several_gateways_and_workers_are_numbered():
    topology = build((ClusterShape("east", gateways=2, workers=2, pods_per_node=2),))

    assert [node.name for node in topology.nodes] == [
        "east-gateway-1",
        "east-gateway-2",
        "east-worker-1",
        "east-worker-2",
    ]
    assert [pod.name for pod in topology.nodes[3].pods] == ["web-worker-2", "web-worker-2-1"]


@pytest.mark.parametrize(
    ("shapes", "word"),
    [
        ((ClusterShape("East"),), "lower-case"),
        ((ClusterShape("a" * 16),), "up to 15"),
        ((ClusterShape("east"), ClusterShape("east")), "twice"),
        ((ClusterShape("east", gateways=0),), "a gateway among them"),
        ((ClusterShape("east", workers=40),), "1 to 40 nodes"),
        (tuple(ClusterShape(f"c{number}") for number in range(25)), "at most 24 clusters"),
        ((ClusterShape("wan"),), "the lab itself"),
        ((ClusterShape("site-a"),), "the lab itself"),
        ((ClusterShape("east", site="lo"),), "the lab itself"),
        ((ClusterShape("east", site="Über"),), "lower-case"),
        ((ClusterShape("east"), ClusterShape("east-gateway")), "nodes of 'east'"),
        ((), "at least one cluster"),
        ((ClusterShape("east", workers=-1),), "1 to 40 nodes"),
    ],
    ids=[
        "capital",
        "long",
        "twice",
        "no-gateway",
        "too-many-nodes",
        "too-many-clusters",
        "the-router",
        "a-site",
        "loopback",
        "strange-site",
        "a-node",
        "none-at-all",
        "less-than-none",
    ],
)
def test_a_topology_that_cannot_be_is_refused_with_the_reason(shapes, word):
    with pytest.raises(Fatal, match=word):
        build(shapes)


def test_a_full_site_says_what_to_do():
    with pytest.raises(Fatal, match="at another site"):
        build(tuple(ClusterShape(f"c{number}", site="here") for number in range(6)))


def test_a_topology_comes_back_from_its_own_text(tmp_path):
    topology = build((ClusterShape("east", workers=2), ClusterShape("west", proxy_mode="nftables", site="x")))

    assert load_topology(write(tmp_path, dump_topology(topology))) == topology


@pytest.mark.parametrize(
    "text",
    [
        "",
        "clusters:",
        "clusters: [{name: east, colour: red}]",
        "clusters: [{workers: 1}]",
        "clusters: [{name: 7}]",
        "clusters: [{name: east, workers: two}]",
        "clusters: [{name: east, gateways: null}]",
        "clusters: [east]",
        "clusters: {",
        "[]",
    ],
)
def test_a_broken_file_is_refused_by_name_with_the_fields_it_can_have(tmp_path, text):
    with pytest.raises(Fatal, match=r"lab\.yaml: expected `clusters:`.*pods_per_node"):
        load_topology(write(tmp_path, text))


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(Fatal, match=r"none\.yaml"):
        load_topology(tmp_path / "none.yaml")


def test_an_unknown_kube_proxy_mode_is_refused(tmp_path):
    path = write(tmp_path, "clusters: [{name: east, proxy_mode: ipvs}]")

    with pytest.raises(Fatal, match="iptables or nftables"):
        load_topology(path)


@pytest.mark.parametrize(
    ("kind", "known"), [("cluster", "east, west"), ("node", "west-worker"), ("site", "west")]
)
def test_asking_for_an_unknown_name_tells_the_known_ones(kind, known):
    with pytest.raises(Fatal, match=known):
        getattr(default_topology(), kind)("north")

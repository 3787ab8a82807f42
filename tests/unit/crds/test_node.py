from __future__ import annotations

from ipaddress import ip_address

from crds.node import parse_node
from tests.builders import networks


def test_addresses_pod_networks_labels_and_annotations_are_read():
    node = parse_node(
        {
            "metadata": {
                "name": "worker",
                "uid": "7",
                "labels": {"submariner.io/gateway": "true", "a": "b"},
                "annotations": {"submariner.io/tcp-clamp-mss": "1200"},
            },
            "spec": {"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24", "fd00::/64"]},
            "status": {
                "addresses": [
                    {"type": "InternalIP", "address": "172.16.0.2"},
                    {"type": "Hostname", "address": "worker"},
                    {"type": "InternalIP", "address": "fd01::2"},
                ]
            },
        }
    )

    assert node.name == node.ref.name == "worker"
    assert node.internal_ips == (ip_address("172.16.0.2"), ip_address("fd01::2"))
    assert node.pod_cidrs == networks("10.1.0.0/24", "fd00::/64")
    assert node.label("submariner.io/gateway") == "true"
    assert node.annotation("submariner.io/tcp-clamp-mss") == "1200"
    assert node.label("none") is None


def test_no_node_is_lost_for_what_cannot_be_read():
    bare = parse_node({"metadata": {"name": "worker"}})
    odd = parse_node(
        {
            "metadata": {"name": "worker", "labels": None},
            "spec": {"podCIDR": "10.1.0.0/24x"},
            "status": {"addresses": [{"type": "InternalIP", "address": "?"}, None]},
        }
    )

    assert bare == odd
    assert bare.internal_ips == bare.pod_cidrs == bare.labels == ()


def test_a_single_pod_network_is_enough():
    node = parse_node({"metadata": {"name": "worker"}, "spec": {"podCIDR": "10.1.0.0/24"}})

    assert node.pod_cidrs == networks("10.1.0.0/24")

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from isthmus.cli.detect import NOTHING, detect_cluster_cidrs, detect_service_cidrs


def pod(component: str, *arguments: str, label: str = "component") -> dict[str, Any]:
    return {
        "metadata": {"labels": {label: component}},
        "spec": {"containers": [{"command": [component, *arguments]}]},
    }


def node(*ranges: str) -> dict[str, Any]:
    return {"metadata": {"name": "n"}, "spec": {"podCIDRs": list(ranges)}}


def test_the_controller_managers_flag_gives_the_pod_range():
    found = detect_cluster_cidrs([pod("kube-controller-manager", "--cluster-cidr=10.1.0.0/16")], [])

    assert found.networks == (ip_network("10.1.0.0/16"),)
    assert found.exact
    assert found.source == "--cluster-cidr of kube-controller-manager"


def test_kube_proxys_own_label_is_known_too():
    found = detect_cluster_cidrs([pod("kube-proxy", "--cluster-cidr=10.1.0.0/16", label="k8s-app")], [])

    assert found.networks == (ip_network("10.1.0.0/16"),)


def test_without_flags_the_nodes_ranges_are_put_together_and_marked_inexact():
    found = detect_cluster_cidrs([], [node("10.1.1.0/24"), node("10.1.0.0/24"), node("fd00::/64")])

    assert found.networks == (ip_network("10.1.0.0/23"), ip_network("fd00::/64"))
    assert not found.exact


def test_a_node_with_only_the_old_field_counts():
    found = detect_cluster_cidrs([], [{"metadata": {"name": "n"}, "spec": {"podCIDR": "10.1.0.0/24"}}])

    assert found.networks == (ip_network("10.1.0.0/24"),)


def test_nothing_is_found_where_nothing_tells():
    assert detect_cluster_cidrs([pod("coredns")], [{"metadata": {"name": "n"}}]) == NOTHING
    assert detect_service_cidrs([], []) == NOTHING


def test_service_cidr_objects_come_before_flags():
    found = detect_service_cidrs(
        [pod("kube-apiserver", "--service-cluster-ip-range=10.96.0.0/12")],
        [{"spec": {"cidrs": ["10.97.0.0/16"]}}, {"spec": {"cidrs": ["10.98.0.0/16", "10.97.0.0/16"]}}],
    )

    assert found.networks == (ip_network("10.97.0.0/16"), ip_network("10.98.0.0/16"))


def test_the_api_servers_flag_gives_the_service_range_of_both_families():
    found = detect_service_cidrs(
        [pod("kube-apiserver", "--service-cluster-ip-range=10.96.0.0/12,fd01::/112")], []
    )

    assert found.networks == (ip_network("10.96.0.0/12"), ip_network("fd01::/112"))

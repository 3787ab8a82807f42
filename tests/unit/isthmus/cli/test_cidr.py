from __future__ import annotations

from ipaddress import ip_network

import pytest

from crds.cluster import Cluster
from crds.meta import ClusterId, ObjectRef
from isthmus.cli.cidr import Networks, parse_cidrs, refuse_overlaps
from isthmus.cli.faults import FAILED, USAGE, Fault

OURS = Networks(service=(ip_network("10.96.0.0/16"),), cluster=(ip_network("10.1.0.0/16"),))


def member(cluster_id: str, service: str, cluster: str) -> Cluster:
    return Cluster(
        ref=ObjectRef("Cluster", "broker", cluster_id),
        cluster_id=ClusterId(cluster_id),
        service_cidrs=(ip_network(service),),
        cluster_cidrs=(ip_network(cluster),),
        global_cidrs=(),
        created=None,
    )


def test_a_list_of_cidrs_is_read_in_order_and_without_repeats():
    found = parse_cidrs("10.1.0.0/16, 10.2.0.0/16,10.1.0.0/16", "--clustercidr")

    assert found == (ip_network("10.1.0.0/16"), ip_network("10.2.0.0/16"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10.1.0.1/16", "the network is 10.1.0.0/16"),
        ("10.1.0.0", "prefix length"),
        ("banana", "not a CIDR"),
        ("0.0.0.0/0", "every address"),
        ("127.0.0.0/8", "loopback"),
        ("224.0.0.0/8", "multicast"),
        ("169.254.0.0/16", "link-local"),
        (",".join(f"10.{number}.0.0/24" for number in range(256)) + ",11.0.0.0/24", "more than the 256"),
    ],
)
def test_what_clusters_cannot_exchange_is_refused_and_names_the_option(text: str, reason: str):
    with pytest.raises(Fault, match=reason) as refused:
        parse_cidrs(text, "--clustercidr")

    assert str(refused.value).startswith("--clustercidr: ")
    assert refused.value.exit_code == USAGE


def test_disjoint_members_are_no_hindrance():
    refuse_overlaps(ClusterId("west"), OURS, [member("east", "10.97.0.0/16", "10.2.0.0/16")])


@pytest.mark.parametrize(
    ("service", "cluster"), [("10.96.128.0/17", "10.2.0.0/16"), ("10.97.0.0/16", "10.0.0.0/12")]
)
def test_an_overlap_with_a_member_names_both_networks_and_the_member(service: str, cluster: str):
    with pytest.raises(Fault, match=r"overlaps 10\.\S+ of member cluster 'east'") as refused:
        refuse_overlaps(ClusterId("west"), OURS, [member("east", service, cluster)])

    assert refused.value.exit_code == FAILED


def test_our_own_earlier_object_is_no_overlap():
    refuse_overlaps(ClusterId("west"), OURS, [member("west", "10.96.0.0/16", "10.1.0.0/16")])


def test_own_ranges_that_overlap_each_other_are_refused():
    networks = Networks(service=(ip_network("10.1.5.0/24"),), cluster=(ip_network("10.1.0.0/16"),))

    with pytest.raises(Fault, match="own ranges"):
        refuse_overlaps(ClusterId("west"), networks, [])

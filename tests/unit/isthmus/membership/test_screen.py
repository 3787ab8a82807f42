from __future__ import annotations

import pytest

from crds.meta import ClusterId, ObjectRef, Rejection
from isthmus.membership import screen
from isthmus.membership.fault import Fault
from tests.builders import cluster, endpoint, networks

EAST = ClusterId("east")


def rules(*members, refused=None):
    return screen.Rules.of(
        EAST,
        networks("10.0.0.0/16", "10.1.0.0/16"),
        {member.cluster_id: member for member in members},
        refused or {},
        frozenset({"libreswan", "vxlan"}),
    )


WEST = cluster("west", "10.2.0.0/16", pods=("10.3.0.0/16",))


def test_an_endpoint_within_its_cluster_is_fine():
    assert rules(WEST).fault(endpoint("west", "10.2.0.0/16", "10.3.4.0/24")) is None


@pytest.mark.parametrize(
    ("remote", "field", "reason"),
    [
        (
            endpoint("west", "10.2.0.0/16", backend="wireguard"),
            "spec.backend",
            '"wireguard" is not a cable driver of this cluster, which has: libreswan, vxlan; both must '
            "use the same",
        ),
        (
            endpoint("south", "10.2.0.0/16"),
            "spec.cluster_id",
            "waiting for the Cluster object of south, which says what south may publish; if it stays away, "
            "check the gateway of south",
        ),
        (
            endpoint("west", "10.2.0.0/16", "10.1.128.0/17"),
            "spec.subnets[1]",
            "10.1.128.0/17 overlaps 10.1.0.0/16 of this cluster; one of the two clusters needs other CIDRs",
        ),
        (
            endpoint("west", "10.0.0.0/8"),
            "spec.subnets[0]",
            "10.0.0.0/8 overlaps 10.0.0.0/16 of this cluster; one of the two clusters needs other CIDRs",
        ),
        (
            endpoint("west", "10.2.0.0/15", "10.4.0.0/16"),
            "spec.subnets[1]",
            "10.4.0.0/16 is outside the CIDRs of its Cluster object (10.2.0.0/16, 10.3.0.0/16)",
        ),
        (
            endpoint("west", "10.2.0.0/16", origin="mallory"),
            "spec.cluster_id",
            'says "west", but the object came from cluster "mallory", which may publish only under its '
            "own id",
        ),
        (
            endpoint("west", "10.2.0.0/16", origin=None),
            "metadata.labels",
            "has no label submariner-io/clusterID, so it is no copy of an object of west; delete it",
        ),
        (
            endpoint("east", "10.2.0.0/16", origin="mallory"),
            "spec.cluster_id",
            '"east" is this cluster\'s own id, but the object came from cluster "mallory"; every cluster '
            "needs an id of its own",
        ),
    ],
)
def test_a_broken_rule_is_named(remote, field, reason):
    assert rules(WEST).fault(remote) == Fault(field, reason)


def test_the_reason_of_a_refused_cluster_is_passed_on():
    rejection = Rejection(ObjectRef("Cluster", "here", "west"), "spec.service_cidr[0]", "is odd")

    fault = rules(refused={"west": rejection}).fault(endpoint("west", "10.2.0.0/16"))

    assert fault == Fault("spec.cluster_id", "its Cluster object is refused: spec.service_cidr[0]: is odd")


def test_a_long_list_of_permitted_networks_is_cut():
    wide = cluster("west", *(f"10.{number}.0.0/16" for number in range(10, 16)))

    fault = rules(wide).fault(endpoint("west", "10.99.0.0/16"))

    assert fault is not None
    assert fault.reason.endswith("(10.10.0.0/16, 10.11.0.0/16, 10.12.0.0/16, 10.13.0.0/16, 2 more)")


def test_a_cluster_that_permits_nothing_is_said_so():
    fault = rules(cluster("west")).fault(endpoint("west", "10.2.0.0/16"))

    assert fault is not None
    assert fault.reason.endswith("(it names none)")


def test_a_cluster_object_bears_the_name_of_its_id():
    assert screen.cluster_fault(EAST, WEST) is None
    assert screen.cluster_fault(EAST, cluster("west", name="other")) == Fault(
        "metadata.name", 'must be "west", the cluster id in its spec'
    )


@pytest.mark.parametrize(
    "remote",
    [cluster("east", origin="mallory"), cluster("west", origin="mallory"), cluster("west", origin=None)],
)
def test_a_cluster_object_under_a_false_name_is_refused(remote):
    assert screen.cluster_fault(EAST, remote) is not None

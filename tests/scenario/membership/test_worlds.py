"""Whatever members publish and in whatever order it arrives: what is honoured is sound, and the same."""

from __future__ import annotations

import random
from itertools import combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crds.cluster import Cluster
from crds.endpoint import Endpoint
from crds.meta import ClusterId
from isthmus.membership.judge import LocalCluster, Membership, judge
from tests.builders import cluster, endpoint, minutes, networks

EAST = LocalCluster(ClusterId("east"), networks("10.0.0.0/22"), networks("10.0.4.0/22"))
IDS = ("east", "west", "south", "north", "mallory")

subnets = st.builds(
    lambda third, length: f"10.0.{third >> (24 - length) << (24 - length)}.0/{length}",
    st.integers(0, 31),
    st.integers(20, 24),
)
subnet_lists = st.lists(subnets, min_size=1, max_size=3, unique=True)
origins = st.sampled_from((*IDS, None))


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    cluster_id = draw(st.sampled_from(IDS))
    honest = draw(st.integers(0, 9)) > 0
    return cluster(
        cluster_id,
        *draw(subnet_lists),
        created=minutes(draw(st.integers(0, 3))),
        origin=(None if cluster_id == "east" else cluster_id) if honest else draw(origins),
    )


@st.composite
def endpoints(draw: st.DrawFn) -> Endpoint:
    cluster_id = draw(st.sampled_from(IDS))
    honest = draw(st.integers(0, 9)) > 0
    return endpoint(
        cluster_id,
        *draw(subnet_lists),
        private_ip=f"172.16.0.{draw(st.integers(1, 3))}",
        created=minutes(draw(st.integers(0, 3))),
        origin=(None if cluster_id == "east" else cluster_id) if honest else draw(origins),
        backend=draw(st.sampled_from(("libreswan", "libreswan", "libreswan", "vxlan"))),
        cable_name=f"cable-{draw(st.integers(0, 9))}",
        name=f"{cluster_id}-{draw(st.integers(0, 2))}",
    )


worlds = st.tuples(
    st.lists(clusters(), max_size=5, unique_by=lambda each: each.ref),
    st.lists(endpoints(), max_size=8, unique_by=lambda each: each.ref),
)
many = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])


def judged(members: list[Cluster], ends: list[Endpoint]) -> Membership:
    return judge(EAST, members, ends, (), frozenset({"libreswan"}))


@many
@given(worlds, st.randoms(use_true_random=False))
def test_the_order_of_arrival_decides_nothing(world, chance: random.Random):
    members, ends = world
    expected = judged(members, ends)

    shuffled_members, shuffled_ends = list(members), list(ends)
    chance.shuffle(shuffled_members)
    chance.shuffle(shuffled_ends)

    assert judged(shuffled_members, shuffled_ends) == expected


@many
@given(worlds)
def test_every_endpoint_is_ours_honoured_or_refused_with_a_reason(world):
    members, ends = world

    membership = judged(members, ends)

    honoured = [peer.endpoint.ref for peer in membership.peers]
    refused = [each.rejection.ref for each in membership.refusals if each.rejection.ref.kind == "Endpoint"]
    own = [end.ref for end in ends if end.origin is None and end.spec.cluster_id == "east"]
    assert sorted(honoured + refused + own) == sorted(end.ref for end in ends)
    assert all(each.rejection.reason and each.rejection.field for each in membership.refusals)


@many
@given(worlds)
def test_peers_share_nothing_with_us_or_each_other_and_stay_within_their_cluster(world):
    members, ends = world

    membership = judged(members, ends)

    for peer in membership.peers:
        permitted = next(member.cidrs for member in members if member.ref.name == peer.cluster_id)
        assert peer.endpoint.origin == peer.cluster_id == peer.endpoint.spec.cluster_id != "east"
        for subnet in peer.endpoint.spec.subnets:
            assert not any(subnet.overlaps(ours) for ours in EAST.cidrs)
            assert any(subnet.overlaps(cidr) for cidr in permitted)
    for one, other in combinations(membership.peers, 2):
        assert one.cluster_id != other.cluster_id
        assert one.endpoint.spec.cable_name != other.endpoint.spec.cable_name
        assert not any(
            mine.overlaps(theirs)
            for mine in one.endpoint.spec.subnets
            for theirs in other.endpoint.spec.subnets
        )


@many
@given(worlds)
def test_without_the_refused_endpoints_the_peers_are_the_same(world):
    members, ends = world
    membership = judged(members, ends)
    refused = {each.rejection.ref for each in membership.refusals}

    kept = [end for end in ends if end.ref not in refused]

    assert judged(members, kept).peers == membership.peers

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.plan import SyncPlan, plan_sync
from broker.transform import ItemKey, SyncItem, outgoing, read_cluster, read_endpoint
from crds.meta import ClusterId
from isthmus.reconcile.delta import Delta
from tests.builders import cluster_object, endpoint_object

EAST = ClusterId("east")


def items(*raw) -> dict[ItemKey, SyncItem]:
    readers = {"Cluster": read_cluster, "Endpoint": read_endpoint}
    read = [readers[each["kind"]](each) for each in raw]
    return {item.key: item for item in read}


OWN = [cluster_object("east", "10.1.0.0/16"), endpoint_object("east", "10.1.0.0/16")]
OWN_COPIES = [
    cluster_object("east", "10.1.0.0/16", origin="east"),
    endpoint_object("east", "10.1.0.0/16", origin="east"),
]
WEST = [
    cluster_object("west", "10.2.0.0/16", origin="west"),
    endpoint_object("west", "10.2.0.0/16", origin="west"),
]
OWN_ENDPOINT = OWN[1]["metadata"]["name"]
WEST_ENDPOINT = WEST[1]["metadata"]["name"]


def written(plan: SyncPlan) -> dict[str, list[str]]:
    deltas = {"up": plan.up, "down": plan.down}
    lines = {
        side: [f"+{name}" for _, name in delta.added]
        + [f"~{name}" for _, name in delta.changed]
        + [f"-{name}" for _, name in delta.removed]
        for side, delta in deltas.items()
    }
    return {side: changes for side, changes in lines.items() if changes}


def refusals(plan: SyncPlan) -> list[str]:
    return [f"{each.rejection.field}: {each.rejection.reason}" for each in plan.refusals]


def test_own_objects_go_up_clusters_first():
    plan = plan_sync(EAST, items(*OWN), {})

    assert written(plan) == {"up": ["+east", f"+{OWN_ENDPOINT}"]}
    assert {item.origin for item in plan.up.added.values()} == {"east"}


def test_objects_of_others_come_down():
    assert written(plan_sync(EAST, {}, items(*WEST))) == {"down": ["+west", f"+{WEST_ENDPOINT}"]}


def test_equal_sides_need_nothing():
    plan = plan_sync(EAST, items(*OWN, *WEST), items(*OWN_COPIES, *WEST))

    assert written(plan) == {}
    assert plan.refusals == ()


def test_an_object_that_is_expected_back_stays_at_the_broker():
    expected = {("Endpoint", OWN_ENDPOINT)}

    assert written(plan_sync(EAST, items(*OWN), items(*OWN_COPIES), expected)) == {}
    assert written(plan_sync(EAST, items(OWN[0]), items(*OWN_COPIES), expected)) == {}
    assert written(plan_sync(EAST, {}, items(*OWN_COPIES), expected)) == {"up": ["-east"]}


def test_an_object_that_lost_its_original_goes_endpoints_first():
    assert written(plan_sync(EAST, items(*WEST), items(*OWN_COPIES))) == {
        "up": [f"-{OWN_ENDPOINT}", "-east"],
        "down": [f"-{WEST_ENDPOINT}", "-west"],
    }


def test_a_changed_original_is_copied_again():
    new = cluster_object("west", "10.4.0.0/16", origin="west")

    assert written(plan_sync(EAST, items(WEST[0]), items(new))) == {"down": ["~west"]}


def test_a_copy_that_was_tampered_with_is_restored():
    tampered = cluster_object("east", "10.7.0.0/16", origin="east")

    assert written(plan_sync(EAST, items(OWN[0]), items(tampered))) == {"up": ["~east"]}


def test_only_our_own_objects_go_up():
    foreign = endpoint_object("south", "10.4.0.0/16")

    assert written(plan_sync(EAST, items(foreign), {})) == {}


def test_an_own_object_that_does_not_parse_is_not_announced():
    bad = endpoint_object("east", "10.1.0.0/16")
    bad["spec"]["private_ip"] = "127.0.0.1"

    assert written(plan_sync(EAST, items(bad), {})) == {}


@pytest.mark.parametrize(
    ("hostile", "refusal"),
    [
        (
            cluster_object("west", "10.2.0.0/16", origin="mallory"),
            'spec.cluster_id: says "west", but the object came from cluster "mallory", which may publish '
            "only under its own id",
        ),
        (
            endpoint_object("east", "10.1.0.0/16", private_ip="192.0.2.66", origin="mallory"),
            'spec.cluster_id: "east" is this cluster\'s own id, but the object came from cluster '
            '"mallory"; every cluster needs an id of its own',
        ),
        (
            cluster_object("west", "10.2.0.0/16"),
            "metadata.labels: has no label submariner-io/clusterID, so nobody knows who wrote it; delete it "
            "at the broker",
        ),
        (
            cluster_object("west", "10.2.0.0/16", origin="west")
            | {"metadata": {"name": "w", "labels": {"submariner-io/clusterID": "west"}}},
            'metadata.name: must be "west", the cluster id in its spec',
        ),
        (
            endpoint_object("west", "10.2.0.0/16")
            | {"metadata": {"name": "mine", "labels": {"submariner-io/clusterID": "west"}}},
            'metadata.name: must begin with "west-", the cluster id in its spec',
        ),
    ],
)
def test_an_object_under_a_false_name_is_refused_and_not_copied(hostile, refusal):
    plan = plan_sync(EAST, items(*OWN), items(*OWN_COPIES, hostile))

    assert written(plan) == {}
    assert refusals(plan) == [refusal]


def test_an_object_that_does_not_parse_is_refused_and_its_old_copy_goes():
    bad = endpoint_object("west", "10.2.0.0/16", origin="west")
    bad["spec"]["subnets"] = ["10.2.0.0/16"] * 10_000

    plan = plan_sync(EAST, items(*WEST), items(WEST[0], bad))

    assert written(plan) == {"down": [f"-{WEST_ENDPOINT}"]}
    assert refusals(plan) == ["spec.subnets: has 10000 entries; at most 256 are honoured"]


def test_nothing_at_the_broker_replaces_an_object_of_this_cluster():
    """A cluster called `east-a` may bear names that begin like ours."""
    own = endpoint_object("east", "10.1.0.0/16", cable_name="a-cable")
    theirs = endpoint_object("east-a", "10.9.0.0/16", cable_name="cable", origin="east-a")
    assert own["metadata"]["name"] == theirs["metadata"]["name"]

    plan = plan_sync(EAST, items(own), items(theirs))

    assert written(plan) == {"up": [f"~{own['metadata']['name']}"]}
    assert refusals(plan) == [
        "metadata.name: is the name of an object of this cluster; the other cluster must delete it at the "
        "broker"
    ]


def test_whoever_holds_our_name_at_the_broker_is_replaced():
    squatter = cluster_object("east", "10.9.0.0/16", origin="mallory")

    plan = plan_sync(EAST, items(OWN[0]), items(squatter))

    assert written(plan) == {"up": ["~east"]}
    assert plan.up.changed["Cluster", "east"].origin == "east"
    assert len(plan.refusals) == 1


IDS = st.sampled_from(("east", "west", "south"))
objects = st.builds(
    lambda endpoint, cluster_id, net, origin: (
        endpoint_object(cluster_id, f"10.{net}.0.0/16", origin=origin)
        if endpoint
        else cluster_object(cluster_id, f"10.{net}.0.0/16", origin=origin)
    ),
    st.booleans(),
    IDS,
    st.integers(1, 3),
    st.none() | IDS,
)
sides = st.lists(objects, max_size=6).map(lambda raw: items(*raw))


def applied(side: dict[ItemKey, SyncItem], delta: Delta[ItemKey, SyncItem]) -> dict[ItemKey, SyncItem]:
    kept = {key: item for key, item in side.items() if key not in delta.removed}
    return kept | delta.added | delta.changed


@settings(deadline=None, max_examples=300)
@given(sides, sides, st.randoms(use_true_random=False))
def test_one_pass_reaches_a_world_that_needs_nothing_whatever_the_order(local, broker, chance: random.Random):
    plan = plan_sync(EAST, local, broker)
    shuffled = list(local.items())
    chance.shuffle(shuffled)
    assert plan_sync(EAST, dict(shuffled), dict(reversed(broker.items()))) == plan

    after = plan_sync(EAST, applied(local, plan.down), applied(broker, plan.up))

    assert not after.up
    assert not after.down


@settings(deadline=None, max_examples=300)
@given(sides, sides)
def test_no_pass_touches_own_objects_here_or_those_of_others_at_the_broker(local, broker):
    plan = plan_sync(EAST, local, broker)

    touched_below = plan.down.added.keys() | plan.down.changed.keys() | plan.down.removed.keys()
    assert not any(local[key].origin is None for key in touched_below if key in local)
    own = {key: outgoing(item, EAST) for key, item in local.items() if item.origin is None}
    assert all(broker[key].origin == "east" for key in plan.up.removed)
    assert plan.up.added.keys() | plan.up.changed.keys() <= own.keys()

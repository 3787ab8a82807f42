from __future__ import annotations

from routeagent.plan.remote import remote_of
from routeagent.plan.sets import plan_sets
from tests import builders
from tests.unit.routeagent.worlds import GATEWAY, WORKER, own, west, world


def entries(snapshot, family=4):
    return {entry.name: entry.entries for entry in plan_sets(snapshot, remote_of(snapshot, family), family)}


def test_the_sets_hold_ours_theirs_and_the_nodes():
    assert entries(world(WORKER, west(), local=own())) == {
        "SUBMARINER-LOCALCIDRS": frozenset(builders.networks("10.96.0.0/16", "10.244.0.0/16")),
        "SUBMARINER-REMOTECIDRS": frozenset(builders.networks("10.97.0.0/16", "10.245.0.0/16")),
        "SUBMARINER-NODES": frozenset(builders.networks("10.1.0.1/32")),
        "SUBMARINER-GATEWAYS": frozenset(),
    }


def test_departed_subnets_are_remote_still():
    planned = entries(world(WORKER, local=own(), departed=["10.99.0.0/16"]))

    assert planned["SUBMARINER-REMOTECIDRS"] == frozenset(builders.networks("10.99.0.0/16"))


def test_a_gateway_inside_a_remote_subnet_has_a_set_of_its_own():
    planned = entries(world(GATEWAY, west("172.16.0.0/24"), local=own()))

    assert planned["SUBMARINER-GATEWAYS"] == frozenset(builders.networks("172.16.0.1/32"))


def test_each_family_has_its_own_sets_because_an_ipset_holds_only_one():
    assert all(name.endswith("-6") for name in entries(world(WORKER, west(), local=own()), family=6))

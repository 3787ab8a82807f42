from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isthmus.dataplane.routes import MAIN_TABLE, RouteType
from routeagent.plan.node import empty_plan, plan_node
from routeagent.plan.role import Detached
from tests import builders
from tests.unit.routeagent.worlds import GATEWAY, NODES, WORKER, node, own, west, world

MEMBERS = [
    builders.endpoint(
        f"c{number}", f"10.{number}.0.0/17", f"10.{number}.128.0/17", private_ip=f"192.0.2.{number}"
    )
    for number in range(100, 120)
]
LOCALS = [None, own(), own(interface=None), own(hostname="elsewhere", private_ip="10.1.0.9")]


def test_equal_worlds_give_equal_plans():
    assert plan_node(world(WORKER, west(), local=own()), 4) == plan_node(
        world(WORKER, west(), local=own()), 4
    )


@given(
    st.sampled_from([GATEWAY, WORKER]),
    st.sampled_from(LOCALS),
    st.lists(st.sampled_from(MEMBERS), unique=True),
)
def test_behind_every_way_to_a_remote_subnet_stands_a_closed_door(name, local, members):
    snapshot = world(name, *members, local=local, departed=["10.200.0.0/16"])

    plan = plan_node(snapshot, 4)

    table = 150 if plan.rules else MAIN_TABLE
    expected = {subnet for peer in members for subnet in peer.spec.subnets} | set(
        builders.networks("10.200.0.0/16")
    )
    closed = {
        route.dst for route in plan.routes if route.kind is RouteType.UNREACHABLE and route.table == table
    }
    opened = {route.dst for route in plan.routes if route.kind is RouteType.UNICAST}
    assert closed == expected
    assert opened <= closed
    assert next(one.entries for one in plan.ruleset.sets if "REMOTE" in one.name) == expected


@given(st.sampled_from([GATEWAY, WORKER]), st.sampled_from(LOCALS), st.permutations(MEMBERS[:5]))
def test_no_member_changes_what_the_others_get(name, local, members):
    alone = plan_node(world(name, members[0], local=local), 4)

    together = plan_node(world(name, *members, local=local), 4)

    assert set(alone.routes) <= set(together.routes)
    assert (alone.links, alone.addresses, alone.fdb) == (together.links, together.addresses, together.fdb)
    assert alone.ruleset.chains == together.ruleset.chains


def test_what_is_left_out_is_in_the_plan_with_the_reason():
    nodes = (NODES[0], node("east-worker", "10.1.0.2", tcp_clamp_mss="huge"))

    plan = plan_node(world(WORKER, west("10.0.0.0/12"), local=own(), nodes=nodes), 4)

    assert [peer.cluster_id for peer, _ in plan.refused] == ["west"]
    assert [rejection.ref.kind for rejection in plan.rejections] == ["Node"]


def test_an_empty_plan_wants_nothing():
    plan = empty_plan(4)

    assert isinstance(plan.role, Detached)
    assert (plan.links, plan.routes, plan.rules, plan.ruleset.chains, plan.settings) == ((), (), (), (), ())

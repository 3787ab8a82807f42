"""A node's plan against a kernel in memory."""

from __future__ import annotations

import pytest

from isthmus.dataplane.errors import Busy, KernelRefused
from isthmus.dataplane.routes import RouteType
from routeagent.apply import DEVICE_STEPS, STEPS, apply_plan, remove_all
from routeagent.plan.node import plan_node
from tests.unit.routeagent.hosts import fake_host
from tests.unit.routeagent.worlds import GATEWAY, WORKER, own, west, world

GATEWAY_PLAN = plan_node(world(GATEWAY, west(), local=own()), 4)
WORKER_PLAN = plan_node(world(WORKER, west(), local=own()), 4)
DETACHED_PLAN = plan_node(world(GATEWAY, west()), 4)


def failures(applied):
    return [(outcome.step, str(error)) for outcome in applied.outcomes for error in outcome.failures]


@pytest.mark.parametrize(("node", "plan"), [(GATEWAY, GATEWAY_PLAN), (WORKER, WORKER_PLAN)])
async def test_a_second_pass_writes_nothing(node, plan):
    fake = fake_host(node)

    first = await apply_plan(fake.host, plan)
    second = await apply_plan(fake.host, plan)

    assert failures(first) == failures(second) == []
    assert sum(outcome.writes for outcome in first.outcomes) > 0
    assert sum(outcome.writes for outcome in second.outcomes) == 0


@pytest.mark.parametrize(("node", "plan"), [(GATEWAY, GATEWAY_PLAN), (WORKER, WORKER_PLAN)])
async def test_removal_leaves_the_host_as_it_was(node, plan):
    fake = fake_host(node)
    before = await fake.state()
    await fake.filter.apply("*nat\n-A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE\nCOMMIT\n")
    with_cni = await fake.state()
    await apply_plan(fake.host, plan)

    outcomes = await remove_all(fake.host, 4)

    assert [error for outcome in outcomes for error in outcome.failures] == []
    after = await fake.state()
    assert after == with_cni
    assert before["routes"] == after["routes"]


async def test_without_charons_device_its_routes_wait_quietly_and_the_subnets_stay_closed():
    fake = fake_host(GATEWAY, charon=False)

    applied = await apply_plan(fake.host, GATEWAY_PLAN)

    assert (failures(applied), applied.waiting) == ([], ("ipsec0",))
    ours = [route for protocol, route in fake.kernel.routes if protocol == 150]
    assert {route.kind for route in ours} == {RouteType.UNREACHABLE}


async def test_charons_device_gets_its_routes_back_when_it_returns():
    fake = fake_host(GATEWAY)
    await apply_plan(fake.host, GATEWAY_PLAN)
    whole = await fake.state()
    fake.kernel.remove_link("ipsec0")
    await apply_plan(fake.host, GATEWAY_PLAN)
    fake.kernel.add_device("ipsec0", mtu=1400)

    await apply_plan(fake.host, GATEWAY_PLAN)

    assert (await fake.state())["routes"] == whole["routes"]


async def test_a_link_in_the_way_is_named_and_the_guard_and_fallbacks_stand_all_the_same():
    fake = fake_host(WORKER)
    fake.kernel.add_device("vx-submariner", kind="vxlan")
    fake.kernel.set_down("vx-submariner")

    applied = await apply_plan(fake.host, WORKER_PLAN)

    [(step, message)] = failures(applied)
    assert step == "links"
    assert "interface vx-submariner (kind vxlan) is in the way" in message
    assert "SUBMARINER-GUARD" in await fake.filter.dump()
    assert len([route for protocol, route in fake.kernel.routes if protocol == 150]) == 2


async def test_a_link_in_the_way_that_is_up_carries_none_of_ours_and_keeps_what_it_has():
    fake = fake_host(WORKER)
    fake.kernel.add_device("vx-submariner", kind="bridge")
    fake.kernel.add_address("vx-submariner", "198.51.100.1/24")
    held = list(fake.kernel.addresses)

    applied = await apply_plan(fake.host, WORKER_PLAN)
    assert applied.waiting == ("vx-submariner",)
    assert {route.kind for protocol, route in fake.kernel.routes if protocol == 150} == {
        RouteType.UNREACHABLE
    }
    await remove_all(fake.host, 4)

    assert fake.kernel.addresses == held
    assert not fake.kernel.neighbours
    assert not fake.kernel.fdb
    assert "vx-submariner" in fake.kernel.links


async def test_a_held_xtables_lock_stops_only_the_packet_filter():
    fake = fake_host(WORKER)
    fake.filter.fail_next("dump", Busy("the xtables lock is held"))

    applied = await apply_plan(fake.host, WORKER_PLAN)

    assert failures(applied) == [("ruleset", "the xtables lock is held")]
    assert len([route for protocol, route in fake.kernel.routes if protocol == 150]) == 4


async def test_links_that_cannot_be_read_stop_what_stands_on_them():
    fake = fake_host(WORKER)
    fake.kernel.fail_next("links.dump", KernelRefused("no"))
    fake.kernel.fail_next("links.dump", KernelRefused("no"))

    applied = await apply_plan(fake.host, WORKER_PLAN)

    assert failures(applied) == [("links", "no"), ("devices", "no")]


async def test_one_refused_route_does_not_stop_the_others():
    fake = fake_host(WORKER)
    fake.kernel.fail_next("routes.add", KernelRefused("no"))

    applied = await apply_plan(fake.host, WORKER_PLAN)

    assert failures(applied) == [("routes", "no")]
    assert len([route for protocol, route in fake.kernel.routes if protocol == 150]) == 3


async def test_a_gateway_that_lost_its_role_keeps_nothing_but_closed_doors():
    fake = fake_host(GATEWAY)
    await apply_plan(fake.host, GATEWAY_PLAN)

    await apply_plan(fake.host, DETACHED_PLAN)

    ours = [route for protocol, route in fake.kernel.routes if protocol == 150]
    assert {(route.kind, route.table) for route in ours} == {(RouteType.UNREACHABLE, 254)}
    assert (fake.kernel.rules, fake.kernel.fdb) == ([], [])


def test_the_guard_stands_before_the_first_route():
    names = [name for name, _ in DEVICE_STEPS + STEPS]

    assert names.index("ruleset") < names.index("links") < names.index("routes") < names.index("rules")

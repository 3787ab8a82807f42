from __future__ import annotations

from routeagent.plan.node import plan_node
from routeagent.plan.readiness import ready_part
from tests.unit.routeagent.worlds import GATEWAY, own, west, world

PLAN = plan_node(world(GATEWAY, west(), local=own()), 4)
ALL = {"lo", "eth0", "cni0", "vx-submariner", "ipsec0"}


def test_with_all_devices_there_the_whole_plan_is_ready():
    assert ready_part(PLAN, ALL).plan == PLAN
    assert ready_part(PLAN, ALL).waiting == ()


def test_without_charons_device_its_routes_wait_and_everything_else_goes_ahead():
    ready = ready_part(PLAN, ALL - {"ipsec0"})

    assert ready.waiting == ("ipsec0",)
    assert {route.device for route in ready.plan.routes} == {None}
    assert not any("ipsec0" in key for key, _ in ready.plan.settings)
    assert (ready.plan.fdb, ready.plan.rules, ready.plan.ruleset) == (PLAN.fdb, PLAN.rules, PLAN.ruleset)


def test_without_the_overlay_link_nothing_is_tried_on_it():
    ready = ready_part(PLAN, ALL - {"vx-submariner"})

    assert ready.waiting == ("vx-submariner",)
    assert (ready.plan.addresses, ready.plan.neighbours, ready.plan.fdb) == ((), (), ())


def test_a_missing_cni_device_takes_only_its_settings_along():
    ready = ready_part(PLAN, ALL - {"cni0"})

    assert ready.waiting == ()
    assert ready.plan.routes == PLAN.routes
    assert not any("cni0" in key for key, _ in ready.plan.settings)

from __future__ import annotations

from dataclasses import replace

from routeagent.plan.mark import plan_mark
from tests.unit.routeagent.plan.text import lines
from tests.unit.routeagent.worlds import WORKER, world


def test_the_masquerade_mark_is_cleared_both_ways_and_no_other_bit_is():
    assert lines(plan_mark(world(WORKER), 4)) == [
        "-m set --match-set SUBMARINER-REMOTECIDRS src -m set --match-set SUBMARINER-LOCALCIDRS dst"
        " -j MARK --set-xmark 0x0/0x4000",
        "-m set --match-set SUBMARINER-REMOTECIDRS dst -j MARK --set-xmark 0x0/0x4000",
    ]


def test_kube_proxy_may_use_another_bit():
    assert lines(plan_mark(replace(world(WORKER), masquerade_bit=15), 4))[0].endswith("0x0/0x8000")

from __future__ import annotations

import pytest

from routeagent.plan.mss import mss_rejections, plan_mss
from tests.unit.routeagent.plan.text import lines
from tests.unit.routeagent.worlds import NODES, WORKER, node, world

SYN = "-p tcp -m tcp --tcp-flags SYN,RST SYN"
TO = "-m set --match-set SUBMARINER-REMOTECIDRS dst"
FROM = "-m set --match-set SUBMARINER-REMOTECIDRS src -m set --match-set SUBMARINER-LOCALCIDRS dst"


def annotated(text):
    return world(WORKER, nodes=(NODES[0], node("east-worker", "10.1.0.2", tcp_clamp_mss=text)))


def test_the_mss_follows_the_paths_mtu_in_both_directions():
    assert lines(plan_mss(world(WORKER), 4)) == [
        f"{SYN} {TO} -j TCPMSS --clamp-mss-to-pmtu",
        f"{SYN} {FROM} -j TCPMSS --clamp-mss-to-pmtu",
    ]


def test_the_nodes_annotation_fixes_the_mss():
    snapshot = annotated("1300")

    assert lines(plan_mss(snapshot, 4))[0] == f"{SYN} {TO} -j TCPMSS --set-mss 1300"
    assert mss_rejections(snapshot) == ()


def test_another_nodes_annotation_does_not_count():
    other = world(WORKER, nodes=(node("east-gw", "10.1.0.1", tcp_clamp_mss="1300"), NODES[1]))

    assert lines(plan_mss(other, 4))[0].endswith("--clamp-mss-to-pmtu")


@pytest.mark.parametrize("text", ["", "abc", "-5", "0", "215", "65496", "1300.0", "١٣٠٠", "999999999"])
def test_an_annotation_that_is_no_mss_is_named_and_the_paths_mtu_counts(text):
    snapshot = annotated(text)

    [rejection] = mss_rejections(snapshot)

    assert lines(plan_mss(snapshot, 4))[0].endswith("--clamp-mss-to-pmtu")
    assert rejection.ref.name == "east-worker"
    assert "is not an MSS: write a number from 216 to 65495" in rejection.reason

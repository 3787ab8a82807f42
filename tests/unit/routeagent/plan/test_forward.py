from __future__ import annotations

from routeagent.plan.forward import plan_forward, plan_input
from routeagent.plan.role import Detached, Gateway, Worker
from tests.unit.routeagent.plan.text import chain_lines
from tests.unit.routeagent.worlds import GATEWAY, HOSTS

OUT = "-m set --match-set SUBMARINER-LOCALCIDRS src -m set --match-set SUBMARINER-REMOTECIDRS dst -j ACCEPT"
IN = "-m set --match-set SUBMARINER-REMOTECIDRS src -m set --match-set SUBMARINER-LOCALCIDRS dst -j ACCEPT"
GUARDED = "-m set --match-set SUBMARINER-REMOTECIDRS dst -j SUBMARINER-GUARD"


def test_both_directions_are_let_through_after_the_guard():
    worker = Worker(HOSTS[GATEWAY].private_ip)

    assert chain_lines(plan_forward(worker, 4)) == [GUARDED, OUT, IN]


def test_on_a_gateway_only_the_tunnel_brings_packets_from_other_clusters():
    assert chain_lines(plan_forward(Gateway("ipsec0"), 4)) == [GUARDED, OUT, f"-i ipsec0 {IN}"]


def test_with_ipsec_in_the_kernel_they_come_by_any_device():
    assert chain_lines(plan_forward(Gateway(None), 4)) == [GUARDED, OUT, IN]


def test_the_guard_comes_first_also_without_a_gateway():
    assert chain_lines(plan_forward(Detached(""), 4))[0] == GUARDED


def test_vxlan_is_let_in_from_nodes_of_the_cluster():
    assert chain_lines(plan_input(4)) == [
        "-p udp -m udp --dport 4800 -m set --match-set SUBMARINER-NODES src -j ACCEPT"
    ]

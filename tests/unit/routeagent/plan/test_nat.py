from __future__ import annotations

from dataclasses import replace

from routeagent.plan.nat import plan_nat
from routeagent.plan.remote import remote_of
from routeagent.plan.role import role_of
from tests.unit.routeagent.plan.text import chain_lines
from tests.unit.routeagent.worlds import GATEWAY, HOSTS, WORKER, own, west, world

KEPT = [
    "-m set --match-set SUBMARINER-LOCALCIDRS src -m set --match-set SUBMARINER-REMOTECIDRS dst -j ACCEPT",
    "-m set --match-set SUBMARINER-REMOTECIDRS src -m set --match-set SUBMARINER-LOCALCIDRS dst -j ACCEPT",
]


def nat(snapshot):
    return chain_lines(plan_nat(snapshot, remote_of(snapshot, 4), role_of(snapshot, 4), 4))


def test_pods_keep_their_addresses_and_hosts_get_the_cni_address():
    assert nat(world(WORKER, west(), local=own())) == [
        *KEPT,
        "-m set --match-set SUBMARINER-REMOTECIDRS dst -j SNAT --to-source 10.244.2.1",
    ]


def test_without_a_cni_address_there_is_nothing_to_give_to_hosts():
    host = replace(HOSTS[WORKER], cni_device=None, cni_address=None)

    assert nat(world(WORKER, west(), local=own(), host=host)) == KEPT


def test_the_tunnels_own_packets_keep_the_nodes_address():
    planned = nat(world(GATEWAY, west("172.16.0.0/24"), local=own()))

    own_packets = "-m set ! --match-set SUBMARINER-LOCALCIDRS src -m set --match-set SUBMARINER-GATEWAYS dst"
    assert planned[:2] == [f"-p udp {own_packets} -j RETURN", f"-p esp {own_packets} -j RETURN"]

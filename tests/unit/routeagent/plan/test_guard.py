from __future__ import annotations

from routeagent.plan.guard import plan_guard
from routeagent.plan.remote import remote_of
from routeagent.plan.role import role_of
from tests.unit.routeagent.plan.text import chain_lines
from tests.unit.routeagent.worlds import GATEWAY, WORKER, own, west, world

TO_REMOTE = "-m set --match-set SUBMARINER-REMOTECIDRS dst"


def guard(snapshot, family=4):
    forwarded, leaving = plan_guard(remote_of(snapshot, family), role_of(snapshot, family), family)
    assert (forwarded.table, leaving.table) == ("filter", "mangle")
    return chain_lines(forwarded), chain_lines(leaving)


def test_a_worker_lets_packets_for_remote_subnets_leave_by_the_overlay_only():
    forwarded, leaving = guard(world(WORKER, west(), local=own()))

    assert forwarded == [f"! -o vx-submariner {TO_REMOTE} -j REJECT --reject-with icmp-admin-prohibited"]
    assert leaving == ["-o lo -j RETURN", f"! -o vx-submariner {TO_REMOTE} -j DROP"]


def test_a_gateway_lets_them_leave_by_the_tunnels_device_only():
    _, leaving = guard(world(GATEWAY, west(), local=own()))

    assert leaving == ["-o lo -j RETURN", f"! -o ipsec0 {TO_REMOTE} -j DROP"]


def test_with_ipsec_in_the_kernel_only_what_a_policy_takes_or_may_take_after_snat_goes_on():
    _, leaving = guard(world(GATEWAY, west(), local=own(interface=None)))

    from_local = "-m set --match-set SUBMARINER-LOCALCIDRS src"
    assert leaving == [
        "-o lo -j RETURN",
        f"-m policy --dir out --pol none {from_local} {TO_REMOTE} -j DROP",
        f"! -o vx-submariner -m policy --dir out --pol none {TO_REMOTE} -j DROP",
    ]


def test_without_a_gateway_nothing_for_remote_subnets_leaves_at_all():
    forwarded, leaving = guard(world(WORKER, west()))

    assert forwarded == [f"{TO_REMOTE} -j REJECT --reject-with icmp-admin-prohibited"]
    assert leaving == ["-o lo -j RETURN", f"{TO_REMOTE} -j DROP"]


def test_a_gateway_lets_the_tunnels_own_packets_out_when_they_go_to_a_remote_subnet():
    inside = west("172.16.0.0/24", config={"udp-port": "4501"})

    _, leaving = guard(world(GATEWAY, inside, local=own()))

    to_gateway = "-m set --match-set SUBMARINER-GATEWAYS dst -j RETURN"
    assert leaving[1:-1] == [
        f"-p udp -m udp --dport 500 {to_gateway}",
        f"-p udp -m udp --dport 4500 {to_gateway}",
        f"-p udp -m udp --dport 4501 {to_gateway}",
        f"-p esp {to_gateway}",
    ]


def test_forwarded_packets_have_no_such_exemption():
    forwarded, _ = guard(world(GATEWAY, west("172.16.0.0/24"), local=own()))

    assert len(forwarded) == 1


def test_ipv6_has_its_own_sets_and_its_own_kind_of_refusal():
    forwarded, _ = guard(world(WORKER), family=6)

    assert forwarded == [
        "-m set --match-set SUBMARINER-REMOTECIDRS-6 dst -j REJECT --reject-with icmp6-adm-prohibited"
    ]

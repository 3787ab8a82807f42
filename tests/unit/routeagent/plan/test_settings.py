from __future__ import annotations

from routeagent.plan.role import Detached, Gateway
from routeagent.plan.settings import plan_settings
from tests.unit.routeagent.worlds import GATEWAY, WORKER, world


def test_forwarding_is_on_and_reverse_path_filters_are_loose_wherever_packets_pass():
    assert dict(plan_settings(world(GATEWAY), Gateway("ipsec0"), 4)) == {
        "net/ipv4/ip_forward": "1",
        **{
            f"net/ipv4/conf/{device}/{name}": value
            for device in ("cni0", "eth0", "ipsec0", "vx-submariner")
            for name, value in (("forwarding", "1"), ("rp_filter", "2"))
        },
    }


def test_a_node_without_a_tunnel_has_no_settings_for_its_device():
    assert not any("ipsec0" in key for key, _ in plan_settings(world(WORKER), Detached(""), 4))


def test_ipv6_only_needs_forwarding():
    assert plan_settings(world(WORKER), Detached(""), 6) == (("net/ipv6/conf/all/forwarding", "1"),)

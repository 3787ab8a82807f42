from __future__ import annotations

import pytest

from routeagent.plan.role import Detached, Gateway, Worker, role_of
from tests.unit.routeagent.worlds import GATEWAY, HOSTS, WORKER, own, world


def test_the_node_that_the_local_endpoint_names_is_the_gateway():
    assert role_of(world(GATEWAY, local=own()), 4) == Gateway("ipsec0")


def test_a_gateway_without_a_tunnel_device_relies_on_the_kernels_policies():
    assert role_of(world(GATEWAY, local=own(interface=None)), 4) == Gateway(None)


def test_every_other_node_is_a_worker_behind_the_endpoints_address():
    assert role_of(world(WORKER, local=own()), 4) == Worker(HOSTS[GATEWAY].private_ip)


def test_without_a_local_endpoint_there_is_no_way_and_the_reason_says_so():
    role = role_of(world(WORKER), 4)

    assert role == Detached(
        "no gateway of this cluster has announced itself yet (there is no local Endpoint)"
    )


def test_a_renamed_gateway_node_does_not_send_its_packets_to_itself():
    role = role_of(world(GATEWAY, local=own(hostname="old-name")), 4)

    assert isinstance(role, Detached)
    assert "restart the gateway if the node was renamed" in role.reason


def test_a_gateway_of_the_other_family_is_no_way_out():
    assert role_of(world(WORKER, local=own()), 6) == Detached("the gateway east-gw has no IPv6 address")


@pytest.mark.parametrize("name", ["../../x", "eth0/..", "a" * 16, "-j ACCEPT", ".."])
def test_a_strange_interface_name_never_reaches_a_path_or_a_rule(name):
    role = role_of(world(GATEWAY, local=own(interface=name)), 4)

    assert isinstance(role, Detached)
    assert "cannot be a device name" in role.reason

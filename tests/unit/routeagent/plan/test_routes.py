from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from isthmus.dataplane.routes import MAIN_TABLE, Route, RouteType
from isthmus.dataplane.rules import PolicyRule
from routeagent.plan.remote import remote_of
from routeagent.plan.role import role_of
from routeagent.plan.routes import FALLBACK_METRIC, TUNNEL_METRIC, plan_routes, plan_rules
from tests import builders
from tests.unit.routeagent.worlds import GATEWAY, HOSTS, WORKER, own, west, world

[PODS] = builders.networks("10.245.0.0/16")
CNI = {name: host.cni_address for name, host in HOSTS.items()}


def routes(snapshot):
    return plan_routes(snapshot, remote_of(snapshot, 4), role_of(snapshot, 4), 4)


def fallback(table, subnet=PODS):
    return Route(subnet, table, FALLBACK_METRIC, kind=RouteType.UNREACHABLE)


def test_a_worker_sends_remote_subnets_to_the_gateway_over_the_overlay():
    via = ip_address("240.1.0.1")

    assert routes(world(WORKER, west("10.245.0.0/16"), local=own())) == (
        fallback(MAIN_TABLE),
        Route(PODS, MAIN_TABLE, TUNNEL_METRIC, "vx-submariner", via, CNI[WORKER], onlink=True),
    )


def test_a_gateway_sends_remote_subnets_into_the_tunnel_by_a_table_of_their_own():
    assert routes(world(GATEWAY, west("10.245.0.0/16"), local=own())) == (
        fallback(150),
        Route(PODS, 150, TUNNEL_METRIC, "ipsec0", None, CNI[GATEWAY]),
    )


def test_without_a_tunnel_device_routes_name_one_from_which_nothing_leaves_in_the_clear():
    planned = routes(world(GATEWAY, west("10.245.0.0/16"), local=own(interface=None)))

    assert planned[-1] == Route(PODS, 150, TUNNEL_METRIC, "vx-submariner", None, CNI[GATEWAY])


def test_without_a_gateway_remote_subnets_are_unreachable():
    assert routes(world(WORKER, west("10.245.0.0/16"))) == (fallback(MAIN_TABLE),)


def test_a_departed_subnet_is_unreachable():
    gone = ["10.245.0.0/16"]

    assert routes(world(GATEWAY, local=own(), departed=gone)) == (fallback(150),)
    assert routes(world(WORKER, local=own(), departed=gone)) == (fallback(MAIN_TABLE),)


def test_a_peers_gateway_inside_its_own_subnet_is_reached_outside_the_tunnel():
    planned = routes(world(GATEWAY, west("172.16.0.0/24"), local=own()))

    [inside] = builders.networks("172.16.0.0/24")
    [gateway] = builders.networks("172.16.0.1/32")
    assert planned == (
        fallback(150, inside),
        Route(inside, 150, TUNNEL_METRIC, "ipsec0", None, CNI[GATEWAY]),
        Route(gateway, 150, TUNNEL_METRIC, kind=RouteType.THROW),
    )


def test_a_worker_reaches_that_gateway_through_its_own_gateway_like_everything_else():
    planned = routes(world(WORKER, west("172.16.0.0/24"), local=own()))

    assert [route.kind for route in planned] == [RouteType.UNREACHABLE, RouteType.UNICAST]


def test_without_a_cni_address_the_kernel_chooses_the_source():
    host = replace(HOSTS[WORKER], cni_device=None, cni_address=None)

    assert routes(world(WORKER, west("10.245.0.0/16"), local=own(), host=host))[-1].source is None


def test_only_a_gateway_has_a_policy_rule():
    assert plan_rules(role_of(world(GATEWAY, local=own()), 4), 4) == (PolicyRule(150, 150, 4),)
    assert plan_rules(role_of(world(WORKER, local=own()), 4), 4) == ()

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from gateway.plan.cables import plan_cable
from gateway.plan.ipsec import IpsecOptions, connection_name, plan_ipsec, reqid_of
from gateway.plan.leftovers import Leftovers, find_leftovers
from isthmus.charon.records import IkeSa, Psk, StartAction
from isthmus.dataplane.xfrm import XfrmPolicy, XfrmState
from tests.builders import endpoint_spec, networks
from tests.unit.isthmus.charon.worlds import child, ike

EAST = endpoint_spec("east", "10.101.0.0/16", "10.1.0.0/16", private_ip="192.0.2.1")
WEST = endpoint_spec("west", "10.102.0.0/16", "10.2.0.0/16", private_ip="192.0.2.2")
CABLE = plan_cable(EAST, WEST)
NAME = connection_name(CABLE)
REQID = reqid_of(NAME)
CONNECTIONS = plan_ipsec([CABLE], IpsecOptions(Psk("QUJD")), StartAction.TRAP).connections
(CONNECTION,) = CONNECTIONS

OLD = XfrmState(ip_address("192.0.2.1"), ip_address("192.0.2.2"), "0000dead", REQID)
TRAP = replace(OLD, spi="00000000")
IN, OUT = replace(OLD, spi="c0000001"), replace(OLD, spi="c0000002")


def policy(source: str, destination: str, direction: str) -> XfrmPolicy:
    (here,), (there,) = networks(source), networks(destination)
    return XfrmPolicy(here, there, direction, REQID)


WANTED_POLICIES = (
    policy("10.1.0.0/16", "10.2.0.0/16", "out"),
    policy("10.2.0.0/16", "10.1.0.0/16", "in"),
    policy("10.102.0.0/16", "10.1.0.0/16", "fwd"),
)


def tunnel(state: str = "INSTALLED") -> IkeSa:
    carrying = child(
        "isthmus-1",
        state=state,
        spi_in=IN.spi,
        spi_out=OUT.spi,
        local_subnets=CONNECTION.local_subnets,
        remote_subnets=CONNECTION.remote_subnets,
    )
    return replace(ike(carrying), name=NAME)


def test_the_states_and_policies_of_a_live_tunnel_stay():
    assert find_leftovers((IN, OUT), WANTED_POLICIES, CONNECTIONS, (tunnel(),)) == Leftovers()


def test_a_dead_charons_states_go_once_the_tunnel_is_up_again():
    assert find_leftovers((OLD, IN, OUT), (), CONNECTIONS, (tunnel(),)) == Leftovers(states=(OLD,))


def test_a_dead_charons_states_carry_on_until_then():
    assert find_leftovers((OLD,), (), CONNECTIONS, ()) == Leftovers(waiting=True)
    assert find_leftovers((OLD, IN), (), CONNECTIONS, (tunnel("INSTALLING"),)) == Leftovers(waiting=True)


def test_the_kernels_call_for_a_tunnel_is_left_to_charon():
    assert find_leftovers((TRAP,), (), CONNECTIONS, ()) == Leftovers()


def test_all_of_a_connection_that_nobody_wants_goes():
    assert find_leftovers((OLD,), WANTED_POLICIES, (), ()) == Leftovers((OLD,), WANTED_POLICIES)


def test_a_tunnel_that_charon_is_about_to_end_keeps_what_it_needs():
    assert find_leftovers((IN, OUT), WANTED_POLICIES, (), (tunnel(),)) == Leftovers()


def test_policies_of_subnets_that_are_not_wanted_any_more_go():
    stale = policy("10.1.0.0/16", "10.3.0.0/16", "out")

    found = find_leftovers((), (*WANTED_POLICIES, stale), CONNECTIONS, ())

    assert found == Leftovers(policies=(stale,))


def test_a_policy_in_the_wrong_direction_is_left_over():
    backwards = replace(WANTED_POLICIES[0], direction="in")

    assert find_leftovers((), (backwards,), CONNECTIONS, ()) == Leftovers(policies=(backwards,))

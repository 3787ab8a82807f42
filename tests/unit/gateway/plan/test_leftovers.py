from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from gateway.plan.cables import plan_cable
from gateway.plan.ipsec import IpsecOptions, connection_name, plan_ipsec, reqid_of
from gateway.plan.leftovers import Leftovers, find_leftovers, find_lost
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
    assert not find_leftovers((OLD,), (), CONNECTIONS, ())
    assert not find_leftovers((OLD, IN), (), CONNECTIONS, (tunnel("INSTALLING"),))


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


ALL_POLICIES = tuple(
    policy(str(source), str(destination), direction)
    for local in CONNECTION.local_subnets
    for remote in CONNECTION.remote_subnets
    for source, destination, direction in (
        (local, remote, "out"),
        (remote, local, "in"),
        (remote, local, "fwd"),
    )
)


def test_a_tunnel_with_its_half_in_the_kernel_is_not_lost():
    assert find_lost((IN, OUT), ALL_POLICIES, (tunnel(),)) == frozenset()


def test_a_responder_that_installs_its_outbound_state_last_is_not_lost():
    assert find_lost((IN,), ALL_POLICIES, (tunnel(),)) == frozenset()


def test_a_tunnel_without_its_state_or_one_policy_is_lost():
    assert find_lost((OUT,), ALL_POLICIES, (tunnel(),)) == {1}
    assert find_lost((IN, OUT), ALL_POLICIES[1:], (tunnel(),)) == {1}


def test_a_tunnel_in_birth_or_of_somebody_else_is_none_of_ours_to_end():
    young = replace(tunnel(), children=(replace(tunnel().children[0], installed_seconds=1),))

    assert (
        find_lost((), (), (young, tunnel("REKEYED"), replace(tunnel(), name="roadwarriors"))) == frozenset()
    )

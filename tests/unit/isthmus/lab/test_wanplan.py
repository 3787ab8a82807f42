from __future__ import annotations

from ipaddress import ip_network

import pytest

from isthmus.lab.wanplan import (
    LinkEnd,
    LinkState,
    Rule,
    WanLink,
    links_between,
    parse_rules,
    plan_rules,
    render_netem,
    render_rule_changes,
)

EAST = LinkEnd("east", "site0", (ip_network("172.30.0.0/24"),))
WEST = LinkEnd("west", "site1", (ip_network("172.30.1.0/24"),))
SOUTH = LinkEnd("south", "site2", (ip_network("172.30.2.0/24"), ip_network("fd00:2::/64")))
EAST_WEST = WanLink(0, EAST, WEST)
EAST_SOUTH = WanLink(1, EAST, SOUTH)
NOTHING: frozenset[Rule] = frozenset()


def changes(links: dict[WanLink, LinkState], family: int = 4) -> str:
    return render_rule_changes(plan_rules(links, netem=False), NOTHING, family)  # type: ignore[arg-type]


def test_every_two_sites_have_a_link_with_its_own_number():
    links = links_between([EAST, WEST, SOUTH])

    assert [(link.number, link.first.site, link.second.site) for link in links] == [
        (0, "east", "west"),
        (1, "east", "south"),
        (2, "west", "south"),
    ]
    assert len({link.tun for link in links}) == len({link.table for link in links}) == 3


def test_a_clear_link_needs_nothing():
    assert plan_rules({EAST_WEST: LinkState()}, netem=False) == NOTHING


def test_a_cut_link_is_a_blackhole_both_ways():
    assert changes({EAST_WEST: LinkState(cut=True)}) == (
        "rule add iif site0 to 172.30.1.0/24 priority 1000 blackhole\n"
        "rule add iif site1 to 172.30.0.0/24 priority 1000 blackhole\n"
    )


@pytest.mark.parametrize("state", [LinkState(delay_ms=20), LinkState(loss_percent=1)])
def test_a_slow_or_lossy_link_leads_through_its_line(state: LinkState):
    assert changes({EAST_SOUTH: state}) == (
        "rule add iif site0 to 172.30.2.0/24 priority 2001 lookup 2001\n"
        "rule add iif site2 to 172.30.0.0/24 priority 2001 lookup 2001\n"
    )
    assert changes({EAST_SOUTH: state}, family=6) == (
        "rule add iif site0 to fd00:2::/64 priority 2001 lookup 2001\n"
    )


def test_with_netem_a_slow_link_needs_no_rule_but_a_cut_one_does():
    assert plan_rules({EAST_WEST: LinkState(delay_ms=20)}, netem=True) == NOTHING
    assert len(plan_rules({EAST_WEST: LinkState(cut=True)}, netem=True)) == 2


def test_only_the_difference_to_what_is_there_is_written():
    present = plan_rules({EAST_WEST: LinkState(cut=True), EAST_SOUTH: LinkState(cut=True)}, netem=False)
    wanted = plan_rules({EAST_WEST: LinkState(), EAST_SOUTH: LinkState(cut=True)}, netem=False)

    assert render_rule_changes(wanted, present, 4) == (
        "rule del iif site0 to 172.30.1.0/24 priority 1000 blackhole\n"
        "rule del iif site1 to 172.30.0.0/24 priority 1000 blackhole\n"
    )
    assert render_rule_changes(wanted, wanted, 4) == ""


SHOWN = """[
 {"priority":0,"src":"all","table":"255"},
 {"priority":1000,"src":"all","dst":"172.30.1.0","dstlen":24,"iif":"site0","iif_detached":null,"action":"6"},
 {"priority":2001,"src":"all","dst":"172.30.0.0","dstlen":24,"iif":"site2","table":"2001"},
 {"priority":2002,"src":"all","dst":"172.30.0.1","iif":"site2","table":"2002"},
 {"priority":32766,"src":"all","table":"254"}
]"""


def test_our_rules_are_read_back_and_others_left_out():
    found = parse_rules(SHOWN)

    assert render_rule_changes(found, NOTHING, 4) == (
        "rule add iif site0 to 172.30.1.0/24 priority 1000 blackhole\n"
        "rule add iif site2 to 172.30.0.0/24 priority 2001 lookup 2001\n"
        "rule add iif site2 to 172.30.0.1/32 priority 2002 lookup 2002\n"
    )


def test_an_empty_answer_means_no_rules():
    assert parse_rules("") == NOTHING


def test_netem_shapes_each_link_apart_on_the_way_out():
    states = {EAST_WEST: LinkState(delay_ms=10), EAST_SOUTH: LinkState(delay_ms=50, loss_percent=0.5)}

    assert render_netem(states, ["site0", "site3"]) == (
        "qdisc add dev site0 root handle 1: prio bands 16 priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
        "qdisc add dev site0 parent 1:2 handle 20: netem limit 100000 delay 10ms loss 0%\n"
        "filter add dev site0 parent 1: protocol ip prio 4 u32 match ip src 172.30.1.0/24 flowid 1:2\n"
        "qdisc add dev site0 parent 1:3 handle 30: netem limit 100000 delay 50ms loss 0.5%\n"
        "filter add dev site0 parent 1: protocol ip prio 6 u32 match ip src 172.30.2.0/24 flowid 1:3\n"
        "filter add dev site0 parent 1: protocol ipv6 prio 7 u32 match ip6 src fd00:2::/64 flowid 1:3\n"
    )


def test_netem_needs_nothing_for_clear_links():
    assert render_netem({EAST_WEST: LinkState()}, ["site0", "site1"]) == ""


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (LinkState(), "clear"),
        (LinkState(cut=True, delay_ms=5), "cut"),
        (LinkState(delay_ms=5, loss_percent=0.5), "5 ms one way, 0.5 % loss"),
    ],
)
def test_a_state_is_told_in_words(state: LinkState, words: str):
    assert str(state) == words

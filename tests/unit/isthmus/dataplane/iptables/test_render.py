"""Rules as text: each field of a match and each action, in the words of `iptables-save`."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from isthmus.dataplane.iptables.render import render_rule, render_ruleset
from isthmus.dataplane.ruleset import (
    Accept,
    Chain,
    ClampMss,
    ClearMark,
    Drop,
    Hook,
    Jump,
    Match,
    Reject,
    Return,
    Rule,
    Ruleset,
    SetMss,
    SetName,
    Snat,
)

LOCAL = SetName("SUBMARINER-LOCALCIDRS")


@pytest.mark.parametrize(
    ("match", "text"),
    [
        (Match(), ""),
        (Match(source=ip_network("0.0.0.0/0")), ""),
        (Match(source=ip_network("10.0.0.1/32")), "-s 10.0.0.1/32 "),
        (Match(destination=ip_network("10.0.0.0/8"), not_destination=True), "! -d 10.0.0.0/8 "),
        (Match(in_device="eth0"), "-i eth0 "),
        (Match(out_device="eth0", not_out_device=True), "! -o eth0 "),
        (Match(protocol="esp"), "-p esp "),
        (Match(protocol="udp", dport=4800), "-p udp -m udp --dport 4800 "),
        (Match(protocol="tcp", tcp_syn=True), "-p tcp -m tcp --tcp-flags SYN,RST SYN "),
        (Match(mark=0x4000, mark_mask=0x4000), "-m mark --mark 0x4000/0x4000 "),
        (Match(mark=1), "-m mark --mark 0x1 "),
        (Match(ipsec_out=True), "-m policy --dir out --pol ipsec "),
        (Match(ipsec_out=False), "-m policy --dir out --pol none "),
        (Match(source=LOCAL), "-m set --match-set SUBMARINER-LOCALCIDRS src "),
        (
            Match(destination=LOCAL, not_destination=True),
            "-m set ! --match-set SUBMARINER-LOCALCIDRS dst ",
        ),
    ],
)
def test_match_reads_like_iptables(match, text):
    assert render_rule(Rule(match, Accept(), "why")) == f'{text}-m comment --comment "isthmus: why" -j ACCEPT'


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (Return(), "RETURN"),
        (Drop(), "DROP"),
        (Reject("icmp-net-unreachable"), "REJECT --reject-with icmp-net-unreachable"),
        (Snat(ip_address("10.0.1.1")), "SNAT --to-source 10.0.1.1"),
        (ClampMss(), "TCPMSS --clamp-mss-to-pmtu"),
        (SetMss(1300), "TCPMSS --set-mss 1300"),
        (ClearMark(0x4000), "MARK --set-xmark 0x0/0x4000"),
        (Jump("SUBMARINER-GUARD"), "SUBMARINER-GUARD"),
    ],
)
def test_action_reads_like_iptables(action, text):
    assert render_rule(Rule(Match(), action, "why")) == f'-m comment --comment "isthmus: why" -j {text}'


def test_tables_come_in_the_packets_order_and_chains_are_declared_before_they_are_named():
    leaf = Chain("mangle", "SUBMARINER-B", ())
    root = Chain("mangle", "SUBMARINER-A", (Rule(Match(), Jump("SUBMARINER-B"), "why"),))
    ruleset = Ruleset(
        4,
        chains=(Chain("filter", "SUBMARINER-F", ()), root, leaf),
        hooks=(
            Hook("mangle", "FORWARD", "SUBMARINER-A", first=True),
            Hook("mangle", "FORWARD", "SUBMARINER-B", first=True),
        ),
    )

    assert (
        render_ruleset(ruleset)
        == """\
*mangle
:SUBMARINER-A - [0:0]
:SUBMARINER-B - [0:0]
-A SUBMARINER-A -m comment --comment "isthmus: why" -j SUBMARINER-B
-I FORWARD 1 -m comment --comment "isthmus: leads to the rules of the cluster gateway" -j SUBMARINER-B
-I FORWARD 1 -m comment --comment "isthmus: leads to the rules of the cluster gateway" -j SUBMARINER-A
COMMIT
*filter
:SUBMARINER-F - [0:0]
COMMIT
"""
    )


def test_empty_ruleset_is_empty_text():
    assert render_ruleset(Ruleset(4)) == ""

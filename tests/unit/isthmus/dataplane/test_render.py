from __future__ import annotations

from ipaddress import ip_address, ip_interface, ip_network

from isthmus.dataplane.addresses import Address
from isthmus.dataplane.fdb import ZERO_MAC, FdbEntry
from isthmus.dataplane.links import VxlanLink
from isthmus.dataplane.neighbours import Neighbour
from isthmus.dataplane.render import (
    render_address,
    render_fdb_entry,
    render_link,
    render_neighbour,
    render_policy_rule,
    render_routes,
    render_ruleset,
    render_sysctls,
)
from isthmus.dataplane.routes import Route, RouteType
from isthmus.dataplane.rules import PolicyRule
from isthmus.dataplane.ruleset import Accept, AddressSet, Chain, Hook, Match, Rule, Ruleset, SetName

REMOTE = SetName("SUBMARINER-REMOTECIDRS")


def test_worker_link_names_the_gateway_as_its_remote():
    link = VxlanLink(
        "vx-submariner",
        100,
        4800,
        1450,
        ip_address("192.0.2.1"),
        ip_address("192.0.2.9"),
        "02:00:00:00:00:01",
    )

    assert render_link(link) == (
        "ip link add vx-submariner address 02:00:00:00:00:01 mtu 1450 alias isthmus type vxlan id 100 "
        "local 192.0.2.1 remote 192.0.2.9 dstport 4800 nolearning"
    )


def test_gateway_link_has_no_remote():
    link = VxlanLink("vx-submariner", 100, 4800, 1450, ip_address("192.0.2.1"), None, "02:00:00:00:00:01")

    assert " remote " not in render_link(link)


def test_addresses_neighbours_and_forwarding_entries_read_like_ip_lines():
    lines = [
        render_address(Address("vx-submariner", ip_interface("240.0.2.1/8"))),
        render_address(Address("lo", ip_interface("10.45.0.0/32"), "lo:isthmus")),
        render_neighbour(Neighbour("vx-submariner", ip_address("240.0.2.9"), "02:00:00:00:00:09")),
        render_fdb_entry(FdbEntry("vx-submariner", ZERO_MAC, ip_address("192.0.2.9"))),
    ]

    assert lines == [
        "ip address replace 240.0.2.1/8 dev vx-submariner",
        "ip address replace 10.45.0.0/32 dev lo label lo:isthmus",
        "ip neigh replace 240.0.2.9 lladdr 02:00:00:00:00:09 dev vx-submariner nud permanent",
        "bridge fdb append 00:00:00:00:00:00 dev vx-submariner dst 192.0.2.9 self permanent",
    ]


def test_routes_are_printed_in_one_order_whatever_order_they_come_in():
    routes = [
        Route(ip_network("fd00:1::/48"), 254, device="eth0", via=ip_address("fd00::1")),
        Route(ip_network("10.1.0.0/16"), 150, 4096, kind=RouteType.UNREACHABLE),
        Route(ip_network("10.1.0.0/16"), 150, device="ipsec0", source=ip_address("10.0.1.1")),
        Route(ip_network("10.3.0.0/16"), 150, device="eth0", via=ip_address("203.0.113.7"), onlink=True),
    ]

    assert render_routes(routes) == [
        "ip route replace 10.1.0.0/16 dev ipsec0 table 150 proto 150 src 10.0.1.1",
        "ip route replace unreachable 10.1.0.0/16 table 150 proto 150 metric 4096",
        "ip route replace 10.3.0.0/16 via 203.0.113.7 dev eth0 table 150 proto 150 onlink",
        "ip -6 route replace fd00:1::/48 via fd00::1 dev eth0 table 254 proto 150",
    ]


def test_policy_rules_name_source_and_destination():
    rules = [
        PolicyRule(150, 150, 4),
        PolicyRule(149, 149, 6, ip_network("fd00:1::/48"), ip_network("fd00:2::/48")),
    ]

    assert [render_policy_rule(rule) for rule in rules] == [
        "ip rule add priority 150 from all lookup 150 protocol 150",
        "ip -6 rule add priority 149 from fd00:1::/48 to fd00:2::/48 lookup 149 protocol 150",
    ]


def test_ruleset_is_its_sets_and_then_one_text_for_iptables_restore():
    ruleset = Ruleset(
        4,
        (AddressSet(REMOTE, 4, frozenset({ip_network("10.2.0.0/16"), ip_network("10.1.0.0/16")})),),
        (Chain("filter", "SUBMARINER-FORWARD", (Rule(Match(destination=REMOTE), Accept(), "to peers"),)),),
        (Hook("filter", "FORWARD", "SUBMARINER-FORWARD", first=True),),
    )

    assert (
        render_ruleset(ruleset)
        == """\
ipset create SUBMARINER-REMOTECIDRS hash:net family inet maxelem 1048576
ipset add SUBMARINER-REMOTECIDRS 10.1.0.0/16
ipset add SUBMARINER-REMOTECIDRS 10.2.0.0/16
*filter
:SUBMARINER-FORWARD - [0:0]
-A SUBMARINER-FORWARD -m set --match-set SUBMARINER-REMOTECIDRS dst \
-m comment --comment "isthmus: to peers" -j ACCEPT
-I FORWARD 1 -m comment --comment "isthmus: leads to the rules of the cluster gateway" -j SUBMARINER-FORWARD
COMMIT
"""
    )


def test_sysctls_come_sorted():
    assert render_sysctls({"net/ipv4/conf/b/rp_filter": "2", "net/ipv4/conf/a/rp_filter": "0"}) == [
        "sysctl -w net/ipv4/conf/a/rp_filter=0",
        "sysctl -w net/ipv4/conf/b/rp_filter=2",
    ]

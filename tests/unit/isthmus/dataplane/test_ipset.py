from __future__ import annotations

from ipaddress import ip_network

from isthmus.dataplane.ipset import FoundSet, comparable, fits, parse_sets, render_entries, render_set
from isthmus.dataplane.ruleset import AddressSet, SetName

REMOTE = SetName("SUBMARINER-REMOTECIDRS")
SAVE = """\
create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536
add KUBE-CLUSTER-IP 10.96.0.1,tcp:443
create SUBMARINER-REMOTECIDRS hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1f
add SUBMARINER-REMOTECIDRS 10.1.0.0/16
add SUBMARINER-REMOTECIDRS 10.9.0.1
add SUBMARINER-REMOTECIDRS 10.2.0.0/16 nomatch
create SUBMARINER-OLD hash:ip family inet hashsize 1024 maxelem 65536
add SUBMARINER-OLD 10.96.0.1
"""


def test_only_our_sets_are_read_and_foreign_options_are_no_entries_of_ours():
    found = parse_sets(SAVE)

    assert found == {
        REMOTE: FoundSet("hash:net", "inet", frozenset(map(ip_network, ("10.1.0.0/16", "10.9.0.1/32")))),
        "SUBMARINER-OLD": FoundSet("hash:ip", "inet", frozenset()),
    }


def test_set_of_another_type_or_family_does_not_fit():
    wanted = AddressSet(REMOTE, 4, frozenset())

    assert [
        fits(FoundSet(*shape, frozenset()), wanted)
        for shape in (("hash:net", "inet"), ("hash:net", "inet6"), ("hash:ip", "inet"))
    ] == [
        True,
        False,
        False,
    ]


def test_network_of_all_hosts_is_held_as_its_halves():
    assert comparable([ip_network("0.0.0.0/0")]) == {ip_network("0.0.0.0/1"), ip_network("128.0.0.0/1")}


def test_entries_are_written_in_the_order_of_addresses_and_adds_come_first():
    lines = render_entries(
        REMOTE, map(ip_network, ("10.10.0.0/16", "10.9.0.0/16")), [ip_network("10.1.0.0/16")]
    )

    assert lines == [
        "add SUBMARINER-REMOTECIDRS 10.9.0.0/16",
        "add SUBMARINER-REMOTECIDRS 10.10.0.0/16",
        "del SUBMARINER-REMOTECIDRS 10.1.0.0/16",
    ]


def test_set_of_ipv6_says_its_family():
    lines = render_set(AddressSet(REMOTE, 6, frozenset({ip_network("fd00:1::/48")})))

    assert lines == [
        "create SUBMARINER-REMOTECIDRS hash:net family inet6 maxelem 1048576",
        "add SUBMARINER-REMOTECIDRS fd00:1::/48",
    ]

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from crds.network import BadNetwork, first_overlap, parse_address, parse_network
from tests.builders import networks


@pytest.mark.parametrize("text", ["10.1.0.0/16", "100.64.0.0/10", "192.0.2.7/32", "fd00:1::/48", "8.0.0.0/5"])
def test_a_routable_network_is_taken(text):
    assert parse_network(text) == ip_network(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ten", '"ten" is not a CIDR; write it with a prefix length, such as 10.1.0.0/16'),
        ("10.1.0.0", '"10.1.0.0" is not a CIDR; write it with a prefix length, such as 10.1.0.0/16'),
        ("10.1.0.0/33", '"10.1.0.0/33" is not a CIDR; write one such as 10.1.0.0/16'),
        ("10.01.0.0/16", '"10.01.0.0/16" is not a CIDR; write one such as 10.1.0.0/16'),
        (" 10.1.0.0/16", '" 10.1.0.0/16" is not a CIDR; write one such as 10.1.0.0/16'),
        (
            "10.1.0.0/255.255.0.0",
            '"10.1.0.0/255.255.0.0" is not a CIDR; write the prefix as a number: 10.1.0.0/16',
        ),
        ("10.1.2.3/16", '"10.1.2.3/16" has bits set behind the prefix; the network is 10.1.0.0/16'),
        ("0.0.0.0/0", "0.0.0.0/0 covers every address; name the networks of the cluster"),
        ("::/0", "::/0 covers every address; name the networks of the cluster"),
        ("0.0.0.0/1", "0.0.0.0/1 covers unspecified addresses (0.0.0.0/8), which cannot be routed"),
        ("127.0.0.0/24", "127.0.0.0/24 covers loopback addresses (127.0.0.0/8), which cannot be routed"),
        (
            "169.254.7.0/24",
            "169.254.7.0/24 covers link-local addresses (169.254.0.0/16), which cannot be routed",
        ),
        ("224.0.0.0/24", "224.0.0.0/24 covers multicast addresses (224.0.0.0/4), which cannot be routed"),
        ("240.0.0.0/8", "240.0.0.0/8 covers reserved addresses (240.0.0.0/4), which cannot be routed"),
        ("128.0.0.0/1", "128.0.0.0/1 covers link-local addresses (169.254.0.0/16), which cannot be routed"),
        ("::1/128", "::1/128 covers loopback addresses (::1/128), which cannot be routed"),
        ("fe80::/64", "fe80::/64 covers link-local addresses (fe80::/10), which cannot be routed"),
        ("ff02::/16", "ff02::/16 covers multicast addresses (ff00::/8), which cannot be routed"),
    ],
)
def test_any_other_network_is_refused_with_what_to_write_instead(text, reason):
    with pytest.raises(BadNetwork) as caught:
        parse_network(text)

    assert str(caught.value) == reason


@pytest.mark.parametrize("text", ["10.0.0.1", "203.0.113.9", "fd00::1"])
def test_a_unicast_address_is_taken(text):
    assert parse_address(text) == ip_address(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("gateway", '"gateway" is not an IP address; write one such as 192.0.2.1'),
        ("10.0.0.256", '"10.0.0.256" is not an IP address; write one such as 192.0.2.1'),
        ("127.0.0.1", "127.0.0.1 is in 127.0.0.0/8 (loopback); use the unicast address of a node"),
        ("0.0.0.0", "0.0.0.0 is in 0.0.0.0/8 (unspecified); use the unicast address of a node"),
        ("224.0.0.1", "224.0.0.1 is in 224.0.0.0/4 (multicast); use the unicast address of a node"),
        (
            "255.255.255.255",
            "255.255.255.255 is in 240.0.0.0/4 (reserved); use the unicast address of a node",
        ),
        (
            "::ffff:10.0.0.1",
            "::ffff:a00:1 is in ::ffff:0:0/96 (IPv4-mapped); use the unicast address of a node",
        ),
    ],
)
def test_any_other_address_is_refused(text, reason):
    with pytest.raises(BadNetwork) as caught:
        parse_address(text)

    assert str(caught.value) == reason


def test_an_overlap_is_found_whatever_lies_between():
    assert first_overlap(networks("10.2.0.0/16", "10.1.0.0/16", "fd00::/48", "10.2.3.0/24")) == (
        ip_network("10.2.0.0/16"),
        ip_network("10.2.3.0/24"),
    )


def test_a_network_overlaps_itself_and_families_do_not_mix():
    assert first_overlap(networks("10.1.0.0/16", "10.1.0.0/16")) is not None
    assert first_overlap(networks("::a00:0/104", "10.0.0.0/8")) is None

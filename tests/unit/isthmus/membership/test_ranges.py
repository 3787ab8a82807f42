from __future__ import annotations

from ipaddress import IPv4Network

from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.membership.ranges import Ranges, span
from tests.builders import networks

NETWORKS = st.builds(
    lambda address, prefix: IPv4Network((address >> (32 - prefix) << (32 - prefix), prefix)),
    st.integers(0x0A000000, 0x0A00FFFF),
    st.integers(18, 32),
)


def test_both_families_share_one_line_without_meeting():
    ipv4, ipv6 = networks("255.255.255.255/32", "::/128")

    assert span(ipv4) == (2**32 - 1, 2**32 - 1)
    assert span(ipv6) == (2**32, 2**32)


def test_neighbours_cover_what_lies_across_both():
    ranges = Ranges.of(networks("10.0.0.0/17", "10.0.128.0/17", "10.0.3.0/24"))

    assert list(ranges.spans()) == [span(networks("10.0.0.0/16")[0])]
    assert ranges.covers(span(networks("10.0.0.0/16")[0]))
    assert not ranges.covers(span(networks("10.0.0.0/15")[0]))


def test_an_empty_set_neither_covers_nor_touches():
    assert not Ranges.of(()).covers((1, 2))
    assert not Ranges.of(()).touches((1, 2))


@settings(deadline=None)
@given(st.lists(NETWORKS, max_size=8), NETWORKS)
def test_touching_is_what_the_library_calls_overlapping(held, wanted):
    expected = any(wanted.overlaps(network) for network in held)

    assert Ranges.of(held).touches(span(wanted)) == expected


@settings(deadline=None)
@given(st.lists(NETWORKS, max_size=8), NETWORKS)
def test_what_one_network_contains_is_covered(held, wanted):
    if any(wanted.subnet_of(network) for network in held):
        assert Ranges.of(held).covers(span(wanted))
    if not any(wanted.overlaps(network) for network in held):
        assert not Ranges.of(held).covers(span(wanted))

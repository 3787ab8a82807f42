"""Which addresses and networks a member may publish.

Both parsers return the value or raise with a reason in a user's words. The same rules stand in the CRD
schemas beside this module; here is the authority, because a broker may run a looser schema.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from crds.echo import shorten
from crds.meta import IPAddress, IPNetwork

MAX_SUBNETS = 256
"""Most subnets of one Endpoint and most CIDRs in one list of a Cluster."""

_UNUSABLE: tuple[tuple[IPNetwork, str], ...] = (
    (ip_network("0.0.0.0/8"), "unspecified"),
    (ip_network("127.0.0.0/8"), "loopback"),
    (ip_network("169.254.0.0/16"), "link-local"),
    (ip_network("224.0.0.0/4"), "multicast"),
    (ip_network("240.0.0.0/4"), "reserved"),
    (ip_network("::/128"), "unspecified"),
    (ip_network("::1/128"), "loopback"),
    (ip_network("::ffff:0:0/96"), "IPv4-mapped"),
    (ip_network("fe80::/10"), "link-local"),
    (ip_network("ff00::/8"), "multicast"),
)


class BadNetwork(ValueError):
    """Text that is not a usable address or network; the message is the reason, in a user's words."""


def parse_address(text: str) -> IPAddress:
    """Return the unicast address that *text* names. Raises BadNetwork."""
    try:
        address = ip_address(text)
    except ValueError:
        raise BadNetwork(f'"{shorten(text, 64)}" is not an IP address; write one such as 192.0.2.1') from None
    for network, word in _UNUSABLE:
        if address.version == network.version and address in network:
            raise BadNetwork(f"{address} is in {network} ({word}); use the unicast address of a node")
    return address


def parse_network(text: str) -> IPNetwork:
    """Return the network that *text* names in CIDR notation. Raises BadNetwork."""
    shown = shorten(text, 64)
    if "/" not in text:
        raise BadNetwork(f'"{shown}" is not a CIDR; write it with a prefix length, such as 10.1.0.0/16')
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise BadNetwork(f'"{shown}" is not a CIDR; write one such as 10.1.0.0/16') from None
    _require_plain_prefix(text, network)
    if ip_address(text.partition("/")[0]) != network.network_address:
        raise BadNetwork(f'"{shown}" has bits set behind the prefix; the network is {network}')
    if network.prefixlen == 0:
        raise BadNetwork(f"{network} covers every address; name the networks of the cluster")
    for unusable, word in _UNUSABLE:
        if _overlap(network, unusable):
            raise BadNetwork(f"{network} covers {word} addresses ({unusable}), which cannot be routed")
    return network


def first_overlap(networks: Iterable[IPNetwork]) -> tuple[IPNetwork, IPNetwork] | None:
    """Return the first two of *networks* in address order that share addresses, equal ones included."""
    ordered = sorted(
        networks, key=lambda network: (network.version, network.network_address, network.prefixlen)
    )
    for left, right in itertools.pairwise(ordered):
        if _overlap(left, right):
            return left, right
    return None


def _require_plain_prefix(text: str, network: IPNetwork) -> None:
    # ip_network also takes netmasks and host masks, which no other member understands.
    if text.partition("/")[2] != str(network.prefixlen):
        raise BadNetwork(f'"{shorten(text, 64)}" is not a CIDR; write the prefix as a number: {network}')


def _overlap(left: IPNetwork, right: IPNetwork) -> bool:
    return left.version == right.version and left.overlaps(right)

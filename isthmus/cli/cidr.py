"""CIDRs from the command line, and whether a cluster's networks may join the others."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crds.cluster import Cluster
from crds.meta import ClusterId, IPNetwork
from isthmus.cli.faults import Fault, usage

_RESERVED = ipaddress.IPv4Network("240.0.0.0/4")


@dataclass(frozen=True, slots=True)
class Networks:
    """The address ranges of one cluster."""

    service: tuple[IPNetwork, ...]
    cluster: tuple[IPNetwork, ...]

    @property
    def all(self) -> tuple[IPNetwork, ...]:
        return self.service + self.cluster


def parse_cidrs(text: str, option: str) -> tuple[IPNetwork, ...]:
    """Read a comma-separated list; "" gives none.

    Raises:
        Fault: an entry is not a network that clusters can exchange; names *option*.
    """
    return tuple(_parse_cidr(part.strip(), option) for part in text.split(",") if part.strip())


def _parse_cidr(text: str, option: str) -> IPNetwork:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise usage(f"{option}: {text!r} is not a CIDR{_correction(text)}") from None
    if network.prefixlen == 0:
        raise usage(f"{option}: {network} is every address there is: give the cluster's own range")
    if network.is_loopback or network.is_multicast or network.is_link_local or network.is_unspecified:
        raise usage(
            f"{option}: {network} is a loopback, multicast or link-local range: give the cluster's own"
        )
    if isinstance(network, ipaddress.IPv4Network) and network.subnet_of(_RESERVED):
        raise usage(
            f"{option}: {network} lies in the reserved range {_RESERVED}: give the cluster's own range"
        )
    return network


def _correction(text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return ": write it like 10.42.0.0/16"
    return f": the address has bits set below the prefix, did you mean {network}?"


def refuse_overlaps(cluster_id: ClusterId, networks: Networks, members: Sequence[Cluster]) -> None:
    """Refuse networks that overlap each other or those of a member cluster.

    Raises:
        Fault: names both networks, and the member.
    """
    for first, second in _pairs(networks.all):
        raise usage(f"this cluster's own ranges {first} and {second} overlap: give each with its right size")
    for member in members:
        if member.cluster_id == cluster_id:
            continue
        theirs = member.service_cidrs + member.cluster_cidrs
        for own in networks.all:
            for other in theirs:
                if _overlap(own, other):
                    raise Fault(
                        f"this cluster's {own} overlaps {other} of member cluster {member.cluster_id!r}: "
                        "clusters that exchange Pod and Service addresses need ranges of their own; rebuild one "
                        "with another range, or correct --clustercidr/--servicecidr if they name a wrong one"
                    )


def _pairs(networks: Sequence[IPNetwork]) -> Iterable[tuple[IPNetwork, IPNetwork]]:
    return (
        (first, second)
        for index, first in enumerate(networks)
        for second in networks[index + 1 :]
        if _overlap(first, second)
    )


def _overlap(first: IPNetwork, second: IPNetwork) -> bool:
    return first.version == second.version and first.overlaps(second)

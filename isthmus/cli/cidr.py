"""CIDRs from the command line, and whether a cluster's networks may join the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crds.cluster import Cluster
from crds.meta import ClusterId, IPNetwork
from crds.network import MAX_SUBNETS, BadNetwork, first_overlap, parse_network
from isthmus.cli.faults import Fault, usage


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
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > MAX_SUBNETS:
        raise usage(
            f"{option}: {len(parts)} networks are more than the {MAX_SUBNETS} that one cluster may have"
        )
    try:
        return tuple(dict.fromkeys(parse_network(part) for part in parts))
    except BadNetwork as reason:
        raise usage(f"{option}: {reason}") from None


def refuse_overlaps(cluster_id: ClusterId, networks: Networks, members: Sequence[Cluster]) -> None:
    """Refuse networks that overlap each other or those of a member cluster.

    Raises:
        Fault: names both networks, and the member.
    """
    own = first_overlap(networks.all)
    if own is not None:
        raise usage(f"this cluster's own ranges {own[0]} and {own[1]} overlap: give each with its right size")
    for member in members:
        if member.cluster_id != cluster_id:
            _refuse_overlap(networks, member)


def _refuse_overlap(networks: Networks, member: Cluster) -> None:
    for own in networks.all:
        for other in member.service_cidrs + member.cluster_cidrs:
            if own.version == other.version and own.overlaps(other):
                raise Fault(
                    f"this cluster's {own} overlaps {other} of member cluster {member.cluster_id!r}: "
                    "clusters that exchange Pod and Service addresses need ranges of their own; rebuild one "
                    "with another range, or correct --clustercidr or --servicecidr if it names the wrong one"
                )

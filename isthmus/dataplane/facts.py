"""What a daemon needs to know of the host it runs on: its address, its way out, its CNI device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crds.meta import Family, IPAddress, IPNetwork
from isthmus.dataplane.tables import Netlink


@dataclass(frozen=True, slots=True)
class HostFacts:
    """`private_ip`: the kernel's source address towards the default route, whose device is `default_device`.

    The CNI device is the first that carries an address of the cluster's pod networks; None when there is none
    yet, and then host-network clients cannot be served.
    """

    private_ip: IPAddress
    default_device: str
    default_mtu: int
    cni_device: str | None
    cni_address: IPAddress | None


async def host_facts(netlink: Netlink, family: Family, cluster_cidrs: Sequence[IPNetwork]) -> HostFacts:
    """Read the host's facts from the kernel; sends no packet. No default route raises Transient."""
    raise NotImplementedError

"""What a daemon needs to know of the host it runs on: its address, its way out, its CNI device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crds.meta import Family, IPAddress, IPNetwork
from isthmus.dataplane import ownership
from isthmus.dataplane.addresses import Address
from isthmus.dataplane.errors import Missing
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
    uplink = await netlink.uplinks.best(family)
    if uplink is None:
        raise Missing(
            f"the host has no IPv{family} default route, so its address towards other clusters is unknown; "
            "add one, or wait for the network to come up"
        )
    if uplink.source is None:
        raise Missing(f"device {uplink.device} of the IPv{family} default route has no address yet")
    mtus = {link.name: link.mtu for link in await netlink.links.dump()}
    cni = _cni_address(await netlink.addresses.dump(), cluster_cidrs)
    return HostFacts(
        private_ip=uplink.source,
        default_device=uplink.device,
        default_mtu=mtus.get(uplink.device, 1500),
        cni_device=cni.device if cni else None,
        cni_address=cni.interface.ip if cni else None,
    )


def _cni_address(addresses: Sequence[Address], cluster_cidrs: Sequence[IPNetwork]) -> Address | None:
    for address in addresses:
        if address.device == ownership.VXLAN_LINK or address.label == ownership.ADDRESS_LABEL:
            continue
        if any(address.interface.ip in cidr for cidr in cluster_cidrs):
            return address
    return None

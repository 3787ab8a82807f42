"""Addresses that the host must own before kernel-libipsec before strongSwan 5.9.12 accepts a tunnel. Pure.

It looks for a local address inside each local subnet, as the source of a route, and finds none in a Service
network. A network's own address can be given to no Service and no Pod, so it does no harm on the loopback.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_interface

from crds.meta import IPNetwork
from isthmus.dataplane.addresses import Address
from isthmus.dataplane.facts import HostFacts
from isthmus.dataplane.ownership import ADDRESS_LABEL

LOOPBACK = "lo"


def plan_subnet_addresses(subnets: Sequence[IPNetwork], host: HostFacts) -> tuple[Address, ...]:
    """The address of each subnet in which the host has none of its own."""
    return tuple(
        Address(LOOPBACK, ip_interface(subnet.network_address), ADDRESS_LABEL)
        for subnet in subnets
        if host.cni_address is None or host.cni_address not in subnet
    )

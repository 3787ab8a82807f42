"""Kernel settings that packets between clusters need on their way through this node."""

from __future__ import annotations

from crds.meta import Family
from isthmus.dataplane.ownership import VXLAN_LINK
from routeagent.plan.role import Gateway, Role
from routeagent.snapshot import Snapshot

Settings = tuple[tuple[str, str], ...]
"""(key under /proc/sys, value), sorted."""

LOOSE = "2"
"""rp_filter: the source must be reachable at all, by whichever device (ip-sysctl.rst)."""


def plan_settings(snapshot: Snapshot, role: Role, family: Family) -> Settings:
    """Forwarding on, and reverse path filtering loose where the two directions of a flow differ.

    A worker's packets leave over the overlay, the answers come by the CNI's way, and the reverse on the
    gateway. The kernel takes the greater of `all` and the device's own value, so the device's is enough.
    """
    host = snapshot.host
    names = {
        host.default_device,
        host.cni_device,
        VXLAN_LINK,
        role.cable if isinstance(role, Gateway) else None,
    }
    devices = sorted(name for name in names if name)
    if family == 6:
        return (("net/ipv6/conf/all/forwarding", "1"),)  # IPv6 has no reverse path filter among its settings
    return tuple(
        sorted(
            [
                ("net/ipv4/ip_forward", "1"),
                *((f"net/ipv4/conf/{device}/forwarding", "1") for device in devices),
                *((f"net/ipv4/conf/{device}/rp_filter", LOOSE) for device in devices),
            ]
        )
    )

"""What this node is for its cluster: the gateway, a worker behind it, or neither yet."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crds.meta import Family, IPAddress
from routeagent.snapshot import Snapshot

INTERFACE_NAME_KEY = "interface-name"
"""Key of the Endpoint's backend settings that names the device through which the tunnel is reached."""

_DEVICE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,15}")


@dataclass(frozen=True, slots=True)
class Gateway:
    """The tunnels end on this node. `cable` is their device, None when the kernel's IPsec needs none."""

    cable: str | None


@dataclass(frozen=True, slots=True)
class Worker:
    """The tunnels end on the node with this address."""

    gateway: IPAddress


@dataclass(frozen=True, slots=True)
class Detached:
    """There is no way to other clusters, and nothing may go there; `reason` is for a status."""

    reason: str


Role = Gateway | Worker | Detached


def role_of(snapshot: Snapshot, family: Family) -> Role:
    """Decide by this cluster's own Endpoint, the one truth that all nodes share."""
    local = snapshot.membership.local
    if local is None:
        return Detached("no gateway of this cluster has announced itself yet (there is no local Endpoint)")
    spec = local.spec
    if spec.hostname == snapshot.node:
        return _gateway(spec.config(INTERFACE_NAME_KEY))
    if spec.private_ip.version != family:
        return Detached(f"the gateway {spec.hostname} has no IPv{family} address")
    if spec.private_ip == snapshot.host.private_ip:
        return Detached(
            f"the gateway {spec.hostname} has this node's address {spec.private_ip}, but this node is called "
            f"{snapshot.node}; restart the gateway if the node was renamed"
        )
    return Worker(spec.private_ip)


def _gateway(cable: str | None) -> Role:
    # The name becomes part of a path under /proc/sys and of a packet filter line.
    if cable and (not _DEVICE_NAME.fullmatch(cable) or cable in (".", "..")):
        return Detached(f"the local Endpoint's {INTERFACE_NAME_KEY} {cable[:40]!r} cannot be a device name")
    return Gateway(cable or None)

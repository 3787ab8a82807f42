"""Which nodes become gateways when a cluster joins? Pure: Node objects in, names out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from isthmus.cli.faults import Fault, usage
from isthmus.cli.names import GATEWAY_LABEL

_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_WORKER = "node-role.kubernetes.io/worker"


@dataclass(frozen=True, slots=True)
class GatewayNodes:
    """Nodes that are gateways already, and those that still need the label."""

    labelled: tuple[str, ...]
    to_label: tuple[str, ...]


def choose_gateways(nodes: Sequence[Mapping[str, Any]], named: Sequence[str], *, label: bool) -> GatewayNodes:
    """Choose the named nodes; else keep those labelled; else the first node that is not a control plane.

    Raises:
        Fault: a named node does not exist, or no node could be a gateway.
    """
    labels = {node["metadata"]["name"]: node["metadata"].get("labels") or {} for node in nodes}
    labelled = tuple(sorted(name for name, found in labels.items() if found.get(GATEWAY_LABEL) == "true"))
    unknown = [name for name in named if name not in labels]
    if unknown:
        known = ", ".join(sorted(labels)[:10]) or "none"
        raise usage(f"--gateway-node: this cluster has no node {unknown[0]!r}; its nodes: {known}")
    if named:
        return GatewayNodes(labelled, tuple(name for name in dict.fromkeys(named) if name not in labelled))
    if labelled or not label:
        return GatewayNodes(labelled, ())
    candidates = _candidates(labels)
    if not candidates:
        raise Fault("no node of this cluster could be a gateway: add one, or give --no-label-gateway")
    return GatewayNodes((), candidates[:1])


def _candidates(labels: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """Workers by their role's label; else whatever is not a control plane; else any node."""
    workers = [name for name, found in labels.items() if _WORKER in found]
    plain = [name for name, found in labels.items() if not any(role in found for role in _CONTROL_PLANE)]
    return tuple(sorted(workers or plain or labels))

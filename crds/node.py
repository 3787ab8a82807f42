"""The few fields of a Node that the planners use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from crds.fields import mapping, object_fields
from crds.meta import IPAddress, IPNetwork, NodeName, ObjectRef

KIND = "Node"


@dataclass(frozen=True, slots=True)
class Node:
    """One node of this cluster; labels and annotations are sorted pairs."""

    ref: ObjectRef
    name: NodeName
    internal_ips: tuple[IPAddress, ...] = ()
    pod_cidrs: tuple[IPNetwork, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()

    def label(self, key: str) -> str | None:
        """Return the value of one label."""
        return next((value for name, value in self.labels if name == key), None)

    def annotation(self, key: str) -> str | None:
        """Return the value of one annotation."""
        return next((value for name, value in self.annotations if name == key), None)


def parse_node(raw: Mapping[str, Any]) -> Node:
    """Return the record of a Node; what is missing or cannot be read is left out, so that no node is lost."""
    whole = object_fields(raw, KIND)
    metadata = mapping(raw.get("metadata"))
    return Node(
        ref=whole.ref,
        name=NodeName(whole.ref.name),
        internal_ips=_internal_ips(mapping(raw.get("status")).get("addresses")),
        pod_cidrs=_pod_cidrs(mapping(raw.get("spec"))),
        labels=_pairs(metadata.get("labels")),
        annotations=_pairs(metadata.get("annotations")),
    )


def _internal_ips(addresses: object) -> tuple[IPAddress, ...]:
    found = []
    for item in addresses if isinstance(addresses, list) else []:
        entry = mapping(item)
        if entry.get("type") == "InternalIP":
            try:
                found.append(ip_address(str(entry.get("address"))))
            except ValueError:
                continue
    return tuple(found)


def _pod_cidrs(spec: Mapping[str, Any]) -> tuple[IPNetwork, ...]:
    found = []
    for text in spec.get("podCIDRs") or [spec.get("podCIDR")]:
        try:
            found.append(ip_network(str(text)))
        except ValueError:
            continue
    return tuple(found)


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((str(key), str(text)) for key, text in mapping(value).items()))

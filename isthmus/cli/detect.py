"""Which Pod and Service ranges does a cluster use? Read from the objects it already holds.

Pure: `join` fetches Pods, Nodes and ServiceCIDR objects, this module reads them. A value from a control-plane
flag or a ServiceCIDR object is exact; the nodes' own ranges are only those of today's nodes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crds.meta import IPNetwork


@dataclass(frozen=True, slots=True)
class Detected:
    """Networks and where they were read; empty networks mean that nothing told them."""

    networks: tuple[IPNetwork, ...]
    source: str
    exact: bool = True


NOTHING = Detected((), "")


def detect_cluster_cidrs(pods: Sequence[Mapping[str, Any]], nodes: Sequence[Mapping[str, Any]]) -> Detected:
    """Find the Pod ranges: --cluster-cidr of a control-plane Pod, else the nodes' podCIDRs put together."""
    for component in ("kube-controller-manager", "kube-proxy"):
        flagged = _from_flag(pods, component, "--cluster-cidr")
        if flagged.networks:
            return flagged
    ranges = tuple(_collapse(_node_ranges(nodes)))
    return Detected(ranges, "the nodes' podCIDRs", exact=False) if ranges else NOTHING


def detect_service_cidrs(
    pods: Sequence[Mapping[str, Any]], service_cidrs: Sequence[Mapping[str, Any]]
) -> Detected:
    """Find the Service ranges: ServiceCIDR objects (Kubernetes 1.33), else a control-plane Pod's flag."""
    found = [
        network
        for item in service_cidrs
        for text in (item.get("spec") or {}).get("cidrs") or []
        for network in _networks(text)
    ]
    if found:
        return Detected(tuple(dict.fromkeys(found)), "the ServiceCIDR objects")
    for component in ("kube-apiserver", "kube-controller-manager"):
        flagged = _from_flag(pods, component, "--service-cluster-ip-range")
        if flagged.networks:
            return flagged
    return NOTHING


def _from_flag(pods: Sequence[Mapping[str, Any]], component: str, flag: str) -> Detected:
    for pod in pods:
        labels = (pod.get("metadata") or {}).get("labels") or {}
        if component not in (labels.get("component"), labels.get("k8s-app")):
            continue
        for argument in _arguments(pod):
            if argument.startswith(f"{flag}="):
                return Detected(_networks(argument.removeprefix(f"{flag}=")), f"{flag} of {component}")
    return NOTHING


def _arguments(pod: Mapping[str, Any]) -> Iterable[str]:
    for container in (pod.get("spec") or {}).get("containers") or []:
        yield from container.get("command") or []
        yield from container.get("args") or []


def _node_ranges(nodes: Sequence[Mapping[str, Any]]) -> Iterable[IPNetwork]:
    for node in nodes:
        spec = node.get("spec") or {}
        for text in spec.get("podCIDRs") or [spec.get("podCIDR") or ""]:
            yield from _networks(text)


def _networks(text: str) -> tuple[IPNetwork, ...]:
    found: list[IPNetwork] = []
    for part in text.split(","):
        try:
            found.append(ipaddress.ip_network(part.strip(), strict=False))
        except ValueError:
            continue
    return tuple(found)


def _collapse(networks: Iterable[IPNetwork]) -> Iterable[IPNetwork]:
    seen = list(networks)
    yield from ipaddress.collapse_addresses(net for net in seen if isinstance(net, ipaddress.IPv4Network))
    yield from ipaddress.collapse_addresses(net for net in seen if isinstance(net, ipaddress.IPv6Network))

"""Short ways to write what the gateway's planners see of this cluster, node and host."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from crds.meta import NodeName, ObjectRef
from crds.node import Node
from gateway.config import Settings, read_settings
from gateway.drivers import DriverFacts
from isthmus.dataplane.facts import HostFacts
from tests.builders import NAMESPACE

ENVIRONMENT = {
    "SUBMARINER_CLUSTERID": "east",
    "SUBMARINER_NAMESPACE": NAMESPACE,
    "SUBMARINER_SERVICECIDR": "10.96.0.0/16",
    "SUBMARINER_CLUSTERCIDR": "10.244.0.0/16",
    "NODE_NAME": "east-gw",
    "CE_IPSEC_PSK": "AAEC",
}
KERNEL_ESP = DriverFacts(interface_name=None, needs_subnet_addresses=False, esp="kernel", version="6.0.1")
LIBIPSEC = DriverFacts(interface_name="ipsec0", needs_subnet_addresses=True, esp="libipsec", version="5.9.8")


def settings(**changes: str) -> Settings:
    return read_settings(ENVIRONMENT | changes)


def node(labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None) -> Node:
    return Node(
        ObjectRef("Node", "", "east-gw"),
        NodeName("east-gw"),
        labels=tuple(sorted((labels or {}).items())),
        annotations=tuple(sorted((annotations or {}).items())),
    )


def host(**changes: Any) -> HostFacts:
    known: dict[str, Any] = {
        "private_ip": ip_address("172.18.0.2"),
        "default_device": "eth0",
        "default_mtu": 1500,
        "cni_device": "cni0",
        "cni_address": ip_address("10.244.0.1"),
    }
    return HostFacts(**(known | changes))

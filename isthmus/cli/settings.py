"""What `join` decides for a cluster, and the objects that carry it to the daemons.

The ConfigMap's keys are the daemons' environment variables, so that a workload takes them with one `envFrom`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from broker.info import PSK_SECRET
from crds.meta import ClusterId, IPNetwork
from isthmus.cli.cidr import Networks
from isthmus.cli.names import (
    BROKER_SECRET,
    CONFIG_MAP,
    NAMESPACE,
    OWNER,
    OWNER_LABEL,
)


@dataclass(frozen=True, slots=True)
class Tunnel:
    """How this cluster's gateways build their cables."""

    driver: str = "libreswan"
    port: int = 4500
    nat: bool = True
    force_encapsulation: bool = False
    preferred_server: bool = False
    air_gapped: bool = False


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a connection is probed: pings every *interval* seconds, down after *losses* in a row."""

    enabled: bool = True
    interval: int = 1
    losses: int = 5


@dataclass(frozen=True, slots=True)
class BrokerAccess:
    """A member's way to the broker. The token is the member's own, never the administrator's."""

    server: str
    namespace: str
    ca: bytes = field(repr=False)
    token: str = field(repr=False)
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a member cluster is told."""

    cluster_id: ClusterId
    networks: Networks
    tunnel: Tunnel
    health: HealthCheck
    debug: bool = False


def render_namespace() -> dict[str, Any]:
    """Return the namespace; its Pods are privileged, and Pod security admission has to know."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": NAMESPACE,
            "labels": {OWNER_LABEL: OWNER, "pod-security.kubernetes.io/enforce": "privileged"},
        },
    }


def render_secrets(broker: BrokerAccess, psk: bytes) -> tuple[dict[str, Any], ...]:
    """Return the Secrets with the way to the broker and the pre-shared key."""
    return (
        _secret(
            BROKER_SECRET,
            {"ca.crt": broker.ca, "namespace": broker.namespace.encode(), "token": broker.token.encode()},
        ),
        _secret(PSK_SECRET, {"psk": psk}),
    )


def render_config(settings: Settings, broker: BrokerAccess) -> dict[str, Any]:
    """Return the ConfigMap whose keys are the environment of both daemons."""
    tunnel, health = settings.tunnel, settings.health
    return _object("ConfigMap", CONFIG_MAP) | {
        "data": {
            "SUBMARINER_NAMESPACE": NAMESPACE,
            "SUBMARINER_CLUSTERID": settings.cluster_id,
            "SUBMARINER_CLUSTERCIDR": _joined(settings.networks.cluster),
            "SUBMARINER_SERVICECIDR": _joined(settings.networks.service),
            "SUBMARINER_GLOBALCIDR": "",
            "SUBMARINER_BROKER": "k8s",
            "SUBMARINER_CABLEDRIVER": tunnel.driver,
            "SUBMARINER_NATENABLED": _flag(tunnel.nat),
            "SUBMARINER_HEALTHCHECKENABLED": _flag(health.enabled),
            "SUBMARINER_HEALTHCHECKINTERVAL": str(health.interval),
            "SUBMARINER_HEALTHCHECKMAXPACKETLOSSCOUNT": str(health.losses),
            "SUBMARINER_NETWORKPLUGIN": "generic",
            "SUBMARINER_DEBUG": _flag(settings.debug),
            "AIR_GAPPED_DEPLOYMENT": _flag(tunnel.air_gapped),
            "BROKER_K8S_APISERVER": broker.server.removeprefix("https://"),
            "BROKER_K8S_REMOTENAMESPACE": broker.namespace,
            "BROKER_K8S_INSECURE": _flag(broker.insecure),
            "BROKER_K8S_SECRET": BROKER_SECRET,
            "CE_IPSEC_PSKSECRET": PSK_SECRET,
            "CE_IPSEC_NATTPORT": str(tunnel.port),
            "CE_IPSEC_PREFERREDSERVER": _flag(tunnel.preferred_server),
            "CE_IPSEC_FORCEENCAPS": _flag(tunnel.force_encapsulation),
            "CE_IPSEC_DEBUG": _flag(settings.debug),
        }
    }


def _secret(name: str, data: dict[str, bytes]) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    return _object("Secret", name) | {"type": "Opaque", "data": encoded}


def _object(kind: str, name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {OWNER_LABEL: OWNER}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def _joined(networks: Iterable[IPNetwork]) -> str:
    return ",".join(str(network) for network in networks)


def _flag(value: bool) -> str:
    return "true" if value else "false"

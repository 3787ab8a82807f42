"""What a kubelet would start of Isthmus on a lab node: programs, their environment and their files. Pure.

Each daemon is a container in small: it sees its ServiceAccount and the Secrets under /run/secrets as a Pod
does, in a mount namespace of its own, and everything else as its node has it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GATEWAY = "isthmus-gateway"
ROUTE_AGENT = "isthmus-routeagent"
NAMESPACE = "submariner-operator"
CONFIG_MAP = "isthmus-config"
GATEWAY_LABEL = "submariner.io/gateway"
ACCOUNTS = {GATEWAY: "submariner-gateway", ROUTE_AGENT: "submariner-routeagent"}
"""Each daemon's ServiceAccount."""
MODULES = {GATEWAY: "gateway", ROUTE_AGENT: "routeagent"}

STATE_DIRECTORY = "/run/isthmus"
"""In the node's own /run: outlives a daemon, not the node."""
_ACCOUNT_FILES = "kubernetes.io/serviceaccount"
_SECRET_KEYS = ("BROKER_K8S_SECRET", "CE_IPSEC_PSKSECRET")


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What `join` left in a cluster, and how its nodes reach the API server."""

    config: Mapping[str, str]
    secrets: Mapping[str, Mapping[str, bytes]] = field(repr=False)
    ca: bytes
    api_host: str
    api_port: int
    gateways: frozenset[str]

    @property
    def ipsec_port(self) -> int:
        return int(self.config.get("CE_IPSEC_NATTPORT") or 4500)


def secret_names(config: Mapping[str, str]) -> tuple[str, ...]:
    """Return the Secrets that the configuration names."""
    return tuple(config[key] for key in _SECRET_KEYS if config.get(key))


def decode_secret(secret: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of a Secret."""
    return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}


def gateway_nodes(nodes: Mapping[str, Mapping[str, str]]) -> frozenset[str]:
    """Pick the gateways from node names and their labels."""
    return frozenset(name for name, labels in nodes.items() if labels.get(GATEWAY_LABEL) == "true")


def daemons_of(node: str, facts: ClusterFacts) -> tuple[str, ...]:
    """Name the daemons of a node: the route agent everywhere, the gateway where the label is."""
    return (GATEWAY, ROUTE_AGENT) if node in facts.gateways else (ROUTE_AGENT,)


def plan_files(daemon: str, token: str, facts: ClusterFacts) -> dict[Path, bytes]:
    """Return what the daemon finds below /run/secrets, by relative path."""
    account = Path(_ACCOUNT_FILES)
    files = {
        account / "token": token.encode(),
        account / "ca.crt": facts.ca,
        account / "namespace": NAMESPACE.encode(),
    }
    # The route agent has no business with the broker or the tunnels' key.
    if daemon == GATEWAY:
        for name, content in facts.secrets.items():
            files |= {Path("submariner.io") / name / key: value for key, value in content.items()}
    return files


def plan_environment(node: str, facts: ClusterFacts, vici_socket: str) -> dict[str, str]:
    """Return a daemon's environment: the ConfigMap, and what a Pod has from its kubelet."""
    return {
        **facts.config,
        "NODE_NAME": node,
        "POD_NAMESPACE": NAMESPACE,
        "KUBERNETES_SERVICE_HOST": facts.api_host,
        "KUBERNETES_SERVICE_PORT": str(facts.api_port),
        "ISTHMUS_STATE_DIR": STATE_DIRECTORY,
        "ISTHMUS_VICI_SOCKET": vici_socket,
    }


def plan_command(python: str, daemon: str, files: Path, *flags: str) -> tuple[str, ...]:
    """Return the argument list: the daemon in a mount namespace where *files* is /run/secrets.

    `exec` all the way, so that a signal to the unit's process reaches the daemon.
    """
    script = 'mkdir -p /run/secrets && mount --no-mtab --bind "$1" /run/secrets && shift && exec "$@"'
    program = (python, "-P", "-m", MODULES[daemon], *flags)
    return (
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        script,
        daemon,
        str(files),
        *program,
    )

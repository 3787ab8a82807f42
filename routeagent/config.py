"""The route agent's settings, read from Submariner's environment variables and a few of our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crds.meta import NodeName
from isthmus.membership.judge import LocalCluster
from isthmus.reconcile.environment import Environment

BACKENDS = frozenset({"libreswan"})
"""Cable drivers that a member may announce; the same as the gateway's."""
HIGHEST_PORT = 65535
HEALTH_INTERVAL_FACTOR = 60
"""The gateways' check interval, in seconds, times this is the interval of each worker (as in Submariner)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the operator decides. `health_interval` in seconds, None when health checks are off."""

    local: LocalCluster
    namespace: str
    node: NodeName
    health_interval: float | None
    masquerade_bit: int
    metrics_port: int
    state_directory: Path
    kubeconfig: Path | None


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Read the environment; Fatal names every fault, one a line."""
    env = Environment(variables)
    settings = Settings(
        local=LocalCluster(
            cluster_id=env.cluster_id(),
            service_cidrs=env.networks("SUBMARINER_SERVICECIDR", "the cluster's Service network"),
            cluster_cidrs=env.networks("SUBMARINER_CLUSTERCIDR", "the cluster's Pod networks"),
        ),
        namespace=env.required("SUBMARINER_NAMESPACE", "the namespace of Isthmus, submariner-operator"),
        node=NodeName(env.required("NODE_NAME", "this node's name (spec.nodeName, by the downward API)")),
        health_interval=_health_interval(env),
        masquerade_bit=env.number("ISTHMUS_MASQUERADE_BIT", 14, 0, 31),
        metrics_port=env.number("SUBMARINER_PROFILEPORT", 32782, 1, HIGHEST_PORT),
        state_directory=state_directory(variables),
        kubeconfig=Path(text) if (text := env.text("ISTHMUS_KUBECONFIG")) else None,
    )
    env.flag("SUBMARINER_DEBUG", False)  # for its faults: what it says was needed before (`wants_debug`)
    env.check("the route agent")
    return settings


def state_directory(variables: Mapping[str, str]) -> Path:
    """Where the node keeps what must outlive the daemon; all that an uninstall needs to know."""
    return Path(Environment(variables).text("ISTHMUS_STATE_DIR", "/var/lib/isthmus"))


def _health_interval(env: Environment) -> float | None:
    enabled = env.flag("SUBMARINER_HEALTHCHECKENABLED", True)
    # 0 means the default, as in Submariner.
    interval = env.number("SUBMARINER_HEALTHCHECKINTERVAL", 0, 0, 3600) or 1
    return float(interval * HEALTH_INTERVAL_FACTOR) if enabled else None

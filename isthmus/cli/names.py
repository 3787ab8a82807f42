"""The names of what `join` writes into a cluster, on which all commands agree."""

from __future__ import annotations

NAMESPACE = "submariner-operator"
CONFIG_MAP = "isthmus-config"
BROKER_SECRET = "submariner-broker-secret"  # noqa: S105 - the name of an object
GATEWAY_ACCOUNT = "submariner-gateway"
ROUTE_AGENT_ACCOUNT = "submariner-routeagent"
GATEWAY_LABEL = "submariner.io/gateway"
BROKER_INFO_FILE = "broker-info.subm"

OWNER_LABEL = "app.kubernetes.io/managed-by"
OWNER = "isthmus"
CLUSTER_UID_ANNOTATION = "isthmus.io/cluster-uid"
"""On a member's account at the broker: the uid of the member's kube-system namespace, which tells apart a
cluster that joins again from another cluster that asks for the same id."""

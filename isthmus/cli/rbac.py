"""What the daemons' accounts may do in their own cluster: one rule per thing that they do, and no more.

The gateway publishes its cluster and mirrors the others' objects; the route agent reads those and reports.
"""

from __future__ import annotations

from typing import Any

from isthmus.cli.names import GATEWAY_ACCOUNT, NAMESPACE, OWNER, OWNER_LABEL, ROUTE_AGENT_ACCOUNT

_READ = ["get", "list", "watch"]
_WRITE = ["create", "update", "patch", "delete"]
_RBAC = "rbac.authorization.k8s.io"

_NODES = {"apiGroups": [""], "resources": ["nodes"], "verbs": _READ}
_EVENTS = {"apiGroups": [""], "resources": ["events"], "verbs": ["get", "create", "patch"]}


def _submariner(resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": ["submariner.io"], "resources": resources, "verbs": verbs}


_NAMESPACED: dict[str, list[dict[str, Any]]] = {
    GATEWAY_ACCOUNT: [
        _submariner(["clusters", "endpoints", "gateways"], _READ + _WRITE),
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": _READ + _WRITE,
        },
        _EVENTS,
    ],
    ROUTE_AGENT_ACCOUNT: [
        _submariner(["clusters", "endpoints", "gateways"], _READ),
        _submariner(["routeagents"], _READ + _WRITE),
        _EVENTS,
    ],
}


def render_access() -> tuple[dict[str, Any], ...]:
    """Return accounts, roles and bindings in the order in which they can be created."""
    return tuple(item for account in _NAMESPACED for item in _render_account(account))


def _render_account(account: str) -> tuple[dict[str, Any], ...]:
    subjects = [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}]
    return (
        _object("v1", "ServiceAccount", account, namespace=NAMESPACE),
        _object(f"{_RBAC}/v1", "Role", account, namespace=NAMESPACE) | {"rules": _NAMESPACED[account]},
        _object(f"{_RBAC}/v1", "RoleBinding", account, namespace=NAMESPACE)
        | {"roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": account}, "subjects": subjects},
        _object(f"{_RBAC}/v1", "ClusterRole", account) | {"rules": [_NODES]},
        _object(f"{_RBAC}/v1", "ClusterRoleBinding", account)
        | {"roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": account}, "subjects": subjects},
    )


def _object(api_version: str, kind: str, name: str, *, namespace: str = "") -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": {OWNER_LABEL: OWNER}}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}

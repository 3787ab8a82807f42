"""Who may do what at the broker, as manifests.

Each member has an account of its own, `cluster-<id>`, whose Role is narrower than the one that all of
Submariner's members share: it reads no Secret and no account, and changes no other member's Cluster. It
cannot keep members from each other's Endpoints, which Submariner's members may write too: RBAC restricts by
name only, an Endpoint's name contains its gateway's address, and `create` has no name to restrict by. So
every member also judges what it reads (`broker.plan`, `isthmus.membership`).

The administrator's account is the one in the broker file; it enrols members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crds.meta import GROUP, ClusterId

BROKER_NAMESPACE = "submariner-k8s-broker"
ADMIN_ACCOUNT = "submariner-k8s-broker-admin"

_RBAC = "rbac.authorization.k8s.io"
_OWNED = {"app.kubernetes.io/managed-by": "isthmus"}
_READ = ["get", "list", "watch"]
_WRITE = ["create", "update", "patch", "delete"]


def member_account(cluster_id: ClusterId) -> str:
    """Return the name of a member's ServiceAccount, which is also that of its Role and RoleBinding."""
    return f"cluster-{cluster_id}"


def token_secret(account: str) -> str:
    """Return the name of the Secret in which the broker keeps an account's token."""
    return f"{account}-token"


def broker_namespace(namespace: str = BROKER_NAMESPACE) -> dict[str, Any]:
    """Return the namespace in which members meet."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": _OWNED}}


def admin_objects(namespace: str = BROKER_NAMESPACE) -> tuple[dict[str, Any], ...]:
    """Return the account that enrols members, with its rights and its token, in the order to be written.

    It holds every right that it passes on: the API server refuses a Role that grants more than its author
    has.
    """
    rules = [
        _rule(GROUP, ["clusters", "endpoints"], _READ + _WRITE),
        _rule("", ["serviceaccounts", "secrets"], _READ + _WRITE),
        _rule(_RBAC, ["roles", "rolebindings"], _READ + _WRITE),
    ]
    return _account_objects(namespace, ADMIN_ACCOUNT, rules, {})


def member_objects(
    namespace: str, cluster_id: ClusterId, annotations: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], ...]:
    """Return a member's account, with its rights and its token, in the order to be written.

    *annotations* go onto the account.
    """
    rules = [
        _rule(GROUP, ["clusters", "endpoints"], _READ),
        _rule(GROUP, ["clusters"], ["create"]),
        {**_rule(GROUP, ["clusters"], ["update", "patch", "delete"]), "resourceNames": [cluster_id]},
        _rule(GROUP, ["endpoints"], _WRITE),
    ]
    return _account_objects(namespace, member_account(cluster_id), rules, annotations or {})


def _account_objects(
    namespace: str, account: str, rules: list[dict[str, Any]], annotations: Mapping[str, str]
) -> tuple[dict[str, Any], ...]:
    service_account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _metadata(namespace, account, annotations),
        "automountServiceAccountToken": False,
    }
    role = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "Role",
        "metadata": _metadata(namespace, account),
        "rules": rules,
    }
    binding = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": _metadata(namespace, account),
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": account},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }
    # The control plane puts a token into such a Secret that lasts as long as Secret and account do.
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": _metadata(
            namespace, token_secret(account), {"kubernetes.io/service-account.name": account}
        ),
    }
    return service_account, role, binding, secret


def _metadata(namespace: str, name: str, annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "labels": dict(_OWNED)}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return metadata


def _rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}

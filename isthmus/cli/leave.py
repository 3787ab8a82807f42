"""`isthmus leave`: takes back what `join` made, at the broker and in the cluster."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from crds.gateway import parse_gateway
from crds.meta import ClusterId
from isthmus.cli.apply import Target, delete_object, installed_schemas
from isthmus.cli.brokerfault import explain_broker
from isthmus.cli.faults import Fault
from isthmus.cli.member import remove_member
from isthmus.cli.membership import read_joined
from isthmus.cli.names import (
    BROKER_SECRET,
    CONFIG_MAP,
    GATEWAY_ACCOUNT,
    GATEWAY_LABEL,
    NAMESPACE,
    ROUTE_AGENT_ACCOUNT,
)
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.errors import ApiError, NoSuchKind, NotFound
from isthmus.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTERS,
    CONFIG_MAPS,
    CRDS,
    ENDPOINTS,
    GATEWAYS,
    NAMESPACES,
    NODES,
    ROUTE_AGENTS,
    SECRETS,
    Resource,
)

_POLL_SECONDS = 0.2
_POLLS = 300
_FRESH_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Membership:
    """What a member knows of its own membership: enough to end it at the broker."""

    cluster_id: ClusterId
    server: str
    namespace: str
    ca: bytes = field(repr=False)
    token: str = field(repr=False)
    insecure: bool = False


async def read_membership(api: KubeApi) -> Membership | None:
    """Read what `join` left in the cluster; None when it is no member."""
    config = await _optional(api, CONFIG_MAP)
    joined = read_joined(config)
    if config is None or joined is None:
        return None
    try:
        secret = await api.get(SECRETS, NAMESPACE, BROKER_SECRET)
    except NotFound:
        secret = {}
    data = secret.get("data") or {}
    return Membership(
        cluster_id=joined.cluster_id,
        server=f"https://{joined.broker_server}",
        namespace=joined.broker_namespace,
        ca=base64.b64decode(data.get("ca.crt", "")),
        token=base64.b64decode(data.get("token", "")).decode(),
        insecure=config["data"].get("BROKER_K8S_INSECURE") == "true",
    )


async def _optional(api: KubeApi, name: str) -> Object | None:
    try:
        return await api.get(CONFIG_MAPS, NAMESPACE, name)
    except NotFound:
        return None


async def warn_of_running_gateways(local: Target) -> None:
    """Warn when a gateway has reported a moment ago: it would go on with what it knows."""
    now = local.clock.now().timestamp()
    for item in await _list(local.api, GATEWAYS, NAMESPACE):
        gateway = parse_gateway(item)
        if gateway.updated is not None and now - gateway.updated < _FRESH_SECONDS:
            local.progress.warned(
                f"the gateway on {gateway.ref.name} still reports: stop the daemons before leaving, or their "
                "tunnels and routes stay on the nodes"
            )


async def leave_broker(broker: Target, membership: Membership, *, admin: bool) -> None:
    """Remove this cluster's objects at the broker and, as *admin*, its account.

    The account goes first: a gateway that still runs could otherwise publish its Endpoint again.

    Raises:
        Fault: the broker refuses.
    """
    try:
        if admin:
            await remove_member(broker, membership.namespace, membership.cluster_id)
        removed = await _remove_published(broker.api, membership)
    except ApiError as error:
        raise explain_broker(error, membership.server, membership.namespace) from None
    broker.progress.done(f"Objects at the broker: {removed} removed")
    if not admin:
        broker.progress.warned(
            f"the account cluster-{membership.cluster_id} stays at the broker, a member cannot delete it: "
            "run 'isthmus leave broker-info.subm' to remove it too"
        )


async def _remove_published(api: KubeApi, membership: Membership) -> int:
    removed = 0
    for resource in (ENDPOINTS, CLUSTERS):
        for item in await _list(api, resource, membership.namespace):
            if (item.get("spec") or {}).get("cluster_id") == membership.cluster_id:
                removed += await delete_object(api, resource, membership.namespace, item["metadata"]["name"])
    return removed


async def leave_local(local: Target, *, purge_schemas: bool) -> None:
    """Remove what `join` and the daemons wrote in the cluster.

    Raises:
        Fault: the namespace does not go within a minute.
        ApiError: the API server refused.
    """
    api, progress = local.api, local.progress
    for item in (await api.list(NODES)).items:
        await _unlabel(local, item)
    removed = 0
    for resource in (ENDPOINTS, CLUSTERS, GATEWAYS, ROUTE_AGENTS):
        for item in await _list(api, resource, NAMESPACE):
            removed += await delete_object(api, resource, NAMESPACE, item["metadata"]["name"])
    progress.done(f"Objects in namespace {NAMESPACE}: {removed} removed")
    for account in (GATEWAY_ACCOUNT, ROUTE_AGENT_ACCOUNT):
        await delete_object(api, CLUSTER_ROLE_BINDINGS, None, account)
        await delete_object(api, CLUSTER_ROLES, None, account)
    progress.done("Cluster roles and bindings: removed")
    if await delete_object(api, NAMESPACES, None, NAMESPACE):
        with progress.step(f"Namespace {NAMESPACE}: removed with its accounts, secrets and settings"):
            await _until_gone(local)
    await _leave_schemas(local, purge=purge_schemas)


async def _unlabel(local: Target, node: dict[str, Any]) -> None:
    name = node["metadata"]["name"]
    if GATEWAY_LABEL in (node["metadata"].get("labels") or {}):
        await local.api.patch(
            NODES, None, name, {"metadata": {"labels": {GATEWAY_LABEL: None}}}, kind="merge"
        )
        local.progress.done(f"Node {name}: no longer a gateway")


async def _until_gone(local: Target) -> None:
    for _ in range(_POLLS):
        try:
            await local.api.get(NAMESPACES, None, NAMESPACE)
        except NotFound:
            return
        await local.clock.sleep(_POLL_SECONDS)
    raise Fault(
        f"namespace {NAMESPACE} is still there a minute after its deletion: "
        f"'kubectl describe namespace {NAMESPACE}' names what keeps it"
    )


async def _leave_schemas(local: Target, *, purge: bool) -> None:
    names = await installed_schemas(local.api)
    if not names:
        return
    if not purge:
        local.progress.said(
            "Custom resource definitions: kept; --purge-crds removes them, with all their objects"
        )
        return
    for resource in (CLUSTERS, ENDPOINTS):
        others = {item["metadata"]["namespace"] for item in await _list(local.api, resource, None)}
        if others - {NAMESPACE}:
            raise Fault(
                f"the custom resource definitions stay: namespace {min(others)} still holds {resource} "
                "objects, which would go with them (a broker lives there); delete that namespace first"
            )
    for name in names:
        await delete_object(local.api, CRDS, None, name)
    local.progress.done(f"Custom resource definitions: {len(names)} removed")


async def _list(api: KubeApi, resource: Resource, namespace: str | None) -> tuple[Object, ...]:
    try:
        return (await api.list(resource, namespace)).items
    except NoSuchKind:
        return ()

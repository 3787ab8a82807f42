"""`isthmus join`: makes a cluster a member. Everything is judged before anything is written.

Afterwards the broker holds an account for this cluster, and the cluster holds all that the daemons
need: kinds, namespace, accounts, secrets, settings and a labelled gateway node. Running it again repairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from broker.info import BrokerInfo
from crds.cluster import Cluster, parse_cluster
from crds.meta import ClusterId, Invalid
from isthmus.cli.apply import Target, apply_objects, apply_schemas, ensure_namespace
from isthmus.cli.brokerfault import explain_broker
from isthmus.cli.cidr import refuse_overlaps
from isthmus.cli.joinplan import JoinArguments, JoinPlan, plan_join
from isthmus.cli.localfacts import LocalFacts, read_local_facts
from isthmus.cli.member import ensure_member, read_member
from isthmus.cli.membership import refuse_used_id
from isthmus.cli.names import GATEWAY_LABEL
from isthmus.cli.rbac import render_access
from isthmus.cli.settings import BrokerAccess, render_config, render_namespace, render_secrets
from isthmus.kube.api import KubeApi
from isthmus.kube.errors import ApiError
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, GATEWAYS, NODES, ROUTE_AGENTS


@dataclass(frozen=True, slots=True)
class Invitation:
    """The broker file, and how its address is reached: `server` may override the file's."""

    info: BrokerInfo
    server: str
    insecure: bool = False


async def join(
    local: Target, broker: KubeApi, invitation: Invitation, arguments: JoinArguments, kubeconfig_cluster: str
) -> ClusterId:
    """Join and return the id joined under.

    Raises:
        Fault: the join is refused; nothing was written.
        ApiError: the local API server refused.
    """
    facts = await read_local_facts(local.api)
    plan = plan_join(arguments, facts, kubeconfig_cluster)
    for note in plan.notes:
        local.progress.said(note)
    for warning in plan.warnings:
        local.progress.warned(warning)
    await _judge(broker, invitation, plan, facts)
    local.progress.done(f"Cluster id {plan.settings.cluster_id} and its ranges are free at the broker")
    token = await _enrol(local, broker, invitation, plan, facts)
    access = BrokerAccess(
        invitation.server, invitation.info.namespace, invitation.info.ca, token, invitation.insecure
    )
    await _write(local, plan, access, invitation.info.psk)
    return plan.settings.cluster_id


async def _judge(broker: KubeApi, invitation: Invitation, plan: JoinPlan, facts: LocalFacts) -> None:
    namespace = invitation.info.namespace
    try:
        listed = await broker.list(CLUSTERS, namespace)
        account = await read_member(broker, namespace, plan.settings.cluster_id)
    except ApiError as error:
        raise explain_broker(error, invitation.server, namespace) from None
    members = _readable(listed.items)
    refuse_used_id(plan.settings.cluster_id, facts.uid, account, members)
    refuse_overlaps(plan.settings.cluster_id, plan.settings.networks, members)


def _readable(items: Sequence[dict[str, object]]) -> list[Cluster]:
    # A broken Cluster object of another member is refused by every gateway; it must not keep this one out.
    found: list[Cluster] = []
    for item in items:
        try:
            found.append(parse_cluster(item))
        except Invalid:
            continue
    return found


async def _enrol(
    local: Target, broker: KubeApi, invitation: Invitation, plan: JoinPlan, facts: LocalFacts
) -> str:
    namespace = invitation.info.namespace
    try:
        return await ensure_member(replace(local, api=broker), namespace, plan.settings.cluster_id, facts.uid)
    except ApiError as error:
        raise explain_broker(error, invitation.server, namespace) from None


async def _write(local: Target, plan: JoinPlan, access: BrokerAccess, psk: bytes) -> None:
    await apply_schemas(local, (CLUSTERS, ENDPOINTS, GATEWAYS, ROUTE_AGENTS))
    await ensure_namespace(local, render_namespace())
    await apply_objects(local, "Accounts and their rights", render_access())
    await apply_objects(local, "Secrets of the broker and the tunnels", render_secrets(access, psk))
    await apply_objects(local, "Settings", (render_config(plan.settings, access),))
    for node in plan.gateways.to_label:
        patch = {"metadata": {"labels": {GATEWAY_LABEL: "true"}}}
        await local.api.patch(NODES, None, node, patch, kind="merge")
        local.progress.done(f"Node {node}: labelled as gateway")
    for node in plan.gateways.labelled:
        local.progress.done(f"Node {node}: is a gateway already")

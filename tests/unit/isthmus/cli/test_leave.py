from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from crds.endpoint import EndpointSpec, render_endpoint
from crds.gateway import GatewayStatus, HaStatus, render_gateway
from crds.meta import ClusterId
from isthmus.cli.faults import Fault
from isthmus.cli.leave import leave_broker, leave_local, read_membership, warn_of_running_gateways
from isthmus.kube.errors import Unavailable
from isthmus.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTERS,
    CRDS,
    ENDPOINTS,
    NAMESPACES,
    NODES,
    SECRETS,
    SERVICE_ACCOUNTS,
)
from tests.unit.isthmus.cli.worlds import BROKER_NAMESPACE, World, member_cluster

NAMESPACE = "submariner-operator"


def spec(cluster_id: str) -> EndpointSpec:
    return EndpointSpec(
        ClusterId(cluster_id),
        f"cable-{cluster_id}",
        "gw",
        (ip_network("10.1.0.0/16"),),
        ip_address("192.0.2.1"),
    )


async def joined() -> World:
    """A member whose gateway has published itself, beside another member."""
    world = World()
    await world.join()
    for cluster_id, pods in (("west", "10.1.0.0/16"), ("east", "10.2.0.0/16")):
        world.broker.put(member_cluster(cluster_id, "10.96.0.0/16", pods))
        world.broker.put(render_endpoint(spec(cluster_id), BROKER_NAMESPACE))
    world.local.put(render_endpoint(spec("east"), NAMESPACE))
    return world


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["metadata"]["name"] for item in items]


async def leave(world: World, *, admin: bool = True, purge: bool = False) -> None:
    membership = await read_membership(world.local)
    assert membership is not None
    await leave_broker(world.at_broker, membership, admin=admin)
    await leave_local(world.target, purge_schemas=purge)


async def test_the_membership_is_read_with_the_members_own_token():
    world = await joined()

    membership = await read_membership(world.local)

    assert membership is not None
    assert (membership.cluster_id, membership.server) == ("west", "https://192.0.2.9:6443")
    assert membership.token == f"token.{BROKER_NAMESPACE}.cluster-west"
    assert membership.token not in repr(membership)


async def test_a_cluster_that_is_no_member_has_none():
    assert await read_membership(World().local) is None


async def test_only_our_own_objects_go_from_the_broker():
    world = await joined()

    await leave(world)

    assert names(world.broker.objects(CLUSTERS)) == ["east"]
    assert names(world.broker.objects(ENDPOINTS)) == ["east-cable-east"]
    assert names(world.broker.objects(SERVICE_ACCOUNTS)) == ["submariner-k8s-broker-admin"]
    assert names(world.broker.objects(SECRETS)) == ["submariner-k8s-broker-admin-token"]


async def test_without_the_broker_file_the_account_stays_and_that_is_said():
    world = await joined()

    await leave(world, admin=False)

    assert "cluster-west" in names(world.broker.objects(SERVICE_ACCOUNTS))
    assert "isthmus leave broker-info.subm" in world.said.getvalue()


async def test_nothing_of_ours_stays_in_the_cluster_but_the_kinds():
    world = await joined()

    await leave(world)

    assert world.local.object(NAMESPACES, None, NAMESPACE) is None
    assert world.local.objects(CLUSTER_ROLES) == world.local.objects(CLUSTER_ROLE_BINDINGS) == []
    assert all(
        "submariner.io/gateway" not in item["metadata"]["labels"] for item in world.local.objects(NODES)
    )
    assert len(world.local.objects(CRDS)) == 4
    assert "--purge-crds" in world.said.getvalue()


async def test_the_kinds_go_when_that_is_asked_for():
    world = await joined()

    await leave(world, purge=True)

    assert world.local.objects(CRDS) == []


async def test_the_kinds_stay_while_a_broker_lives_in_the_same_cluster():
    world = await joined()
    world.local.put({"kind": "Namespace", "metadata": {"name": BROKER_NAMESPACE}})
    world.local.put(member_cluster("east", "10.96.0.0/16", "10.2.0.0/16"))

    with pytest.raises(Fault, match=f"namespace {BROKER_NAMESPACE} still holds clusters"):
        await leave(world, purge=True)

    assert len(world.local.objects(CRDS)) == 4


async def test_leaving_again_is_no_fault():
    world = await joined()
    await leave(world)

    await leave_local(world.target, purge_schemas=True)
    await leave_local(world.target, purge_schemas=True)

    assert await read_membership(world.local) is None


async def test_a_broker_that_is_away_is_explained_and_nothing_is_removed():
    world = await joined()
    world.broker.refuse(Unavailable)
    membership = await read_membership(world.local)
    assert membership is not None

    with pytest.raises(Fault, match="no answer from the broker"):
        await leave_broker(world.at_broker, membership, admin=False)

    assert world.local.object(NAMESPACES, None, NAMESPACE) is not None


async def test_a_gateway_that_still_reports_is_warned_of():
    world = await joined()
    now = int(world.clock.now().timestamp())
    status = GatewayStatus("0.1.0", HaStatus.ACTIVE, spec("west"))
    world.local.put(render_gateway("alive", NAMESPACE, status, now - 5))
    world.local.put(render_gateway("dead", NAMESPACE, status, now - 500))

    await warn_of_running_gateways(world.target)

    said = world.said.getvalue()
    assert "the gateway on alive still reports" in said
    assert "dead" not in said
    assert datetime.fromtimestamp(now, UTC) <= world.clock.now()

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from isthmus.cli.faults import Fault
from isthmus.cli.joinplan import JoinArguments
from isthmus.kube.errors import ApiError, BadCertificate, Forbidden, Unauthorized, Unavailable
from isthmus.kube.resources import (
    CLUSTERS,
    CONFIG_MAPS,
    CRDS,
    NAMESPACES,
    NODES,
    ROLE_BINDINGS,
    SECRETS,
    SERVICE_ACCOUNTS,
)
from tests.unit.isthmus.cli.worlds import ARGUMENTS, BROKER_NAMESPACE, World, fresh_cluster, member_cluster

NAMESPACE = "submariner-operator"


def secret(world: World, name: str) -> dict[str, bytes]:
    found = world.local.object(SECRETS, NAMESPACE, name)
    assert found is not None
    return {key: base64.b64decode(value) for key, value in found["data"].items()}


async def test_a_join_leaves_all_that_the_daemons_need():
    world = World()

    assert await world.join() == "west"

    config = world.local.object(CONFIG_MAPS, NAMESPACE, "isthmus-config")
    assert config is not None
    assert config["data"]["SUBMARINER_CLUSTERID"] == "west"
    assert config["data"]["BROKER_K8S_APISERVER"] == "192.0.2.9:6443"
    assert secret(world, "submariner-ipsec-psk") == {"psk": b"k" * 48}
    assert {crd["metadata"]["name"] for crd in world.local.objects(CRDS)} >= {"endpoints.submariner.io"}
    gateway = world.local.object(NODES, None, "n1")
    assert gateway is not None
    assert gateway["metadata"]["labels"]["submariner.io/gateway"] == "true"
    assert "✓ Node n1: labelled as gateway" in world.said.getvalue()


async def test_the_members_own_token_is_stored_and_never_the_administrators():
    world = World()

    await world.join()

    stored = secret(world, "submariner-broker-secret")
    assert stored["token"].decode() == f"token.{BROKER_NAMESPACE}.cluster-west"
    assert stored["namespace"].decode() == BROKER_NAMESPACE
    assert all("admin-token" not in str(item) for item in world.local.objects(SECRETS))


async def test_the_account_at_the_broker_carries_the_mark_of_this_cluster():
    world = World()

    await world.join()

    account = world.broker.object(SERVICE_ACCOUNTS, BROKER_NAMESPACE, "cluster-west")
    system = world.local.object(NAMESPACES, None, "kube-system")
    assert account is not None
    assert system is not None
    assert account["metadata"]["annotations"]["isthmus.io/cluster-uid"] == system["metadata"]["uid"]
    assert world.broker.object(ROLE_BINDINGS, BROKER_NAMESPACE, "cluster-west") is not None


async def test_joining_again_writes_nothing_and_says_so():
    world = World()
    await world.join()
    writes = (world.local.writes, world.broker.writes)
    world.said.truncate(0)

    await world.join()

    assert (world.local.writes, world.broker.writes) == writes
    said = world.said.getvalue()
    assert "Settings: unchanged" in said
    assert "created" not in said
    assert "Node n1: is a gateway already" in said


async def test_joining_again_repairs_what_was_lost_and_names_it():
    world = World()
    await world.join()
    world.local.remove(SECRETS, NAMESPACE, "submariner-ipsec-psk")
    world.broker.remove(ROLE_BINDINGS, BROKER_NAMESPACE, "cluster-west")

    await world.join(replace(ARGUMENTS, tunnel=replace(ARGUMENTS.tunnel, port=4501)))

    said = world.said.getvalue()
    assert "Secret submariner-ipsec-psk created" in said
    assert "RoleBinding cluster-west created" in said
    assert "ConfigMap isthmus-config changed" in said


async def test_an_interrupted_join_can_be_finished():
    world = World()
    world.local.fail_next("create", Unavailable, CONFIG_MAPS)
    with pytest.raises(Unavailable):
        await world.join()

    assert await world.join() == "west"


async def test_an_id_that_another_cluster_uses_is_refused_before_anything_is_written():
    world = World()
    await world.join()
    other = World(local=fresh_cluster(), broker=world.broker)
    other.local.put(
        {"kind": "Namespace", "metadata": {"name": "kube-system", "labels": {"other": "cluster"}}}
    )
    other.local.remove(NAMESPACES, None, "kube-system")
    other.local.put({"kind": "Namespace", "metadata": {"name": "kube-system"}})
    writes = world.broker.writes

    with pytest.raises(Fault, match="'west' is used by another cluster"):
        await other.join()

    assert other.local.writes == 0
    assert world.broker.writes == writes


async def test_an_overlap_with_a_member_is_refused_before_anything_is_written():
    world = World()
    world.broker.put(member_cluster("east", "10.96.0.0/16", "10.2.0.0/16"))

    with pytest.raises(Fault, match=r"10\.96\.0\.0/16 overlaps 10\.96\.0\.0/16 of member cluster 'east'"):
        await world.join()

    assert world.local.writes == world.broker.writes == 0


async def test_a_broken_object_of_another_member_keeps_nobody_out():
    world = World()
    world.broker.put(
        member_cluster("east", "10.97.0.0/16", "10.2.0.0/16") | {"spec": {"cluster_id": "EAST!"}}
    )

    assert await world.join() == "west"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Unavailable, "no answer from the broker"),
        (BadCertificate, "CA did not sign"),
        (Unauthorized, "does not accept the broker file's token"),
        (Forbidden, "may not do this"),
    ],
)
async def test_a_broker_that_refuses_is_explained_and_nothing_is_written(error: type[ApiError], words: str):
    world = World()
    world.broker.refuse(error)

    with pytest.raises(Fault, match=words):
        await world.join()

    assert world.local.writes == world.broker.writes == 0


async def test_a_broker_whose_kinds_are_missing_is_explained():
    world = World()
    world.broker.withdraw(CLUSTERS)

    with pytest.raises(Fault, match="deploy-broker"):
        await world.join()


async def test_a_broker_that_loses_its_namespace_on_the_way_is_explained():
    world = World()
    world.broker.remove(NAMESPACES, None, BROKER_NAMESPACE)

    with pytest.raises(Fault, match=f"namespace {BROKER_NAMESPACE} is missing"):
        await world.join()

    assert world.local.writes == 0


async def test_what_was_found_is_told():
    world = World()
    world.local.put(
        {
            "kind": "Pod",
            "metadata": {
                "name": "kcm",
                "namespace": "kube-system",
                "labels": {"component": "kube-controller-manager"},
            },
            "spec": {
                "containers": [
                    {
                        "command": [
                            "kube-controller-manager",
                            "--cluster-cidr=10.1.0.0/16",
                            "--service-cluster-ip-range=10.96.0.0/16",
                        ]
                    }
                ]
            },
        }
    )

    await world.join(JoinArguments(cluster_id="west"))

    assert (
        "Pod CIDR 10.1.0.0/16, read from --cluster-cidr of kube-controller-manager" in world.said.getvalue()
    )


async def test_a_namespace_that_is_being_deleted_is_not_written_into():
    world = World()
    deleting = {"name": NAMESPACE, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    world.local.put({"kind": "Namespace", "metadata": deleting})

    with pytest.raises(Fault, match="just being deleted"):
        await world.join()

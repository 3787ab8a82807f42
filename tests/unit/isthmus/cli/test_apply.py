from __future__ import annotations

import asyncio

import pytest

from isthmus.cli.apply import apply_objects, apply_schemas, delete_object, ensure_namespace, installed_schemas
from isthmus.cli.faults import Fault
from isthmus.kube.resources import CLUSTERS, CONFIG_MAPS, CRDS, NAMESPACES, PODS
from tests.unit.isthmus.cli.worlds import World


def config(name: str, value: str = "1") -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": {"key": value},
    }


async def test_new_objects_are_created_and_equal_ones_left_alone():
    world = World()

    assert await apply_objects(world.target, "Settings", [config("a"), config("b")]) == 2
    assert await apply_objects(world.target, "Settings", [config("a"), config("b")]) == 0

    assert world.said.getvalue() == " ✓ Settings: created\n ✓ Settings: unchanged\n"


async def test_what_was_repaired_is_named():
    world = World()
    await apply_objects(world.target, "Settings", [config("a"), config("b")])
    world.said.truncate(0)
    world.local.remove(CONFIG_MAPS, "default", "b")

    await apply_objects(world.target, "Settings", [config("a", "2"), config("b")])

    assert "✓ Settings: ConfigMap a changed, ConfigMap b created" in world.said.getvalue()


async def test_the_kinds_are_served_afterwards():
    world = World()

    await apply_schemas(world.target, (CLUSTERS,))

    assert (await world.local.list(CLUSTERS)).items == ()
    assert set(await installed_schemas(world.local)) == {
        f"{kind}.submariner.io" for kind in ("clusters", "endpoints", "gateways", "routeagents")
    }


async def test_a_server_that_does_not_serve_an_installed_kind_is_told_after_a_while():
    world = World()
    await apply_schemas(world.target, ())
    world.local.withdraw(CLUSTERS)

    refusal, _ = await asyncio.gather(
        apply_schemas(world.target, (CLUSTERS,)), world.clock.advance(60), return_exceptions=True
    )

    assert isinstance(refusal, Fault)
    assert "does not serve clusters.submariner.io" in str(refusal)


async def test_an_existing_namespace_keeps_its_labels():
    world = World()
    world.local.put({"kind": "Namespace", "metadata": {"name": "ours", "labels": {"team": "net"}}})

    await ensure_namespace(world.target, {"metadata": {"name": "ours", "labels": {"team": "other"}}})

    found = world.local.object(NAMESPACES, None, "ours")
    assert found is not None
    assert found["metadata"]["labels"] == {"team": "net"}
    assert world.local.writes == 0


async def test_a_namespace_that_goes_away_is_not_used():
    world = World()
    world.local.put({"kind": "Namespace", "metadata": {"name": "ours", "deletionTimestamp": "x"}})

    with pytest.raises(Fault, match="wait until it is gone"):
        await ensure_namespace(world.target, {"metadata": {"name": "ours"}})


async def test_deleting_what_is_gone_is_no_fault():
    world = World()
    world.local.withdraw(PODS)

    assert await delete_object(world.local, CRDS, None, "nothing") is False
    assert await delete_object(world.local, PODS, "default", "nothing") is False

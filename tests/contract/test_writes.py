"""What the writer and the reporter send is taken by an API server, and taken as it stands the second time."""

from __future__ import annotations

from typing import Any

import pytest

from crds.meta import ObjectRef, Rejection
from crds.schemas import load_schemas
from isthmus.kube.events import Reporter
from isthmus.kube.resources import (
    CONFIG_MAPS,
    CRDS,
    EVENTS,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    Resource,
)
from isthmus.kube.writer import ensure, prune
from isthmus.reconcile.clock import SystemClock
from tests.contract.kubeworld import KubeWorld

ROLE_REF = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "one"}
RULE = {"apiGroups": ["submariner.io"], "resources": ["endpoints"], "verbs": ["get", "list", "watch"]}


@pytest.mark.parametrize(
    ("resource", "content"),
    [
        (CONFIG_MAPS, {"data": {"port": "4500"}}),
        (SECRETS, {"type": "Opaque", "data": {"psk": "c2VjcmV0"}}),
        (SERVICE_ACCOUNTS, {}),
        (ROLES, {"rules": [RULE]}),
        (ROLE_BINDINGS, {"roleRef": ROLE_REF, "subjects": [{"kind": "ServiceAccount", "name": "one"}]}),
    ],
    ids=str,
)
async def test_an_object_that_is_as_we_want_it_is_not_written_again(
    world: KubeWorld, resource: Resource, content: dict[str, Any]
):
    body = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": "one", "namespace": world.namespace, "labels": {"app": "isthmus"}},
        **content,
    }

    assert await ensure(world.api, resource, body) == "created"
    assert await ensure(world.api, resource, body) == "unchanged"

    body["metadata"] = {**body["metadata"], "labels": {"app": "isthmus", "site": "east"}}
    assert await ensure(world.api, resource, body) == "changed"
    assert await ensure(world.api, resource, body) == "unchanged"


async def test_our_definitions_are_not_written_again(world: KubeWorld):
    for definition in load_schemas():
        await ensure(world.api, CRDS, definition)

        assert await ensure(world.api, CRDS, definition) == "unchanged"


async def test_what_is_no_longer_wanted_is_pruned(world: KubeWorld):
    for name in ("one", "two", "three"):
        metadata = {"name": name, "namespace": world.namespace, "labels": {"app": "isthmus"}}
        await ensure(world.api, CONFIG_MAPS, {"metadata": metadata})

    assert set(await prune(world.api, CONFIG_MAPS, world.namespace, {"two"}, "app=isthmus")) == {
        "one",
        "three",
    }
    assert await prune(world.api, CONFIG_MAPS, world.namespace, {"two"}, "app=isthmus") == ()


@pytest.mark.parametrize(
    "ref",
    [
        ObjectRef("Endpoint", "", "west", "0a1b"),
        ObjectRef("Endpoint", "submariner-k8s-broker", "west", "0a1b"),
        ObjectRef("Node", "", "east-gw"),
    ],
    ids=["ours", "the brokers", "a nodes"],
)
async def test_an_event_about_any_object_is_taken_and_counted(world: KubeWorld, ref: ObjectRef):
    if ref.name == "west" and not ref.namespace:
        ref = ObjectRef(ref.kind, world.namespace, ref.name, ref.uid)
    refusal = Rejection(ref, "spec.subnets[0]", "overlaps 10.1.0.0/16 of this cluster")

    for _ in range(2):  # the second daemon finds what the first one said
        reporter = Reporter(world.api, SystemClock(), "isthmus-gateway", "east-gw", world.namespace)
        assert (await reporter.report([refusal])).failures == ()

    (event,) = (await world.api.list(EVENTS, world.namespace)).items
    assert event["count"] == 2
    assert event["message"].endswith("spec.subnets[0]: overlaps 10.1.0.0/16 of this cluster")
    assert event["involvedObject"]["name"] == ref.name

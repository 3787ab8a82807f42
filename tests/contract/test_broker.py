"""The broker at a real API server: what its accounts may do, and two members that meet there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import urllib.request
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from broker.access import ADMIN_ACCOUNT, admin_objects, broker_namespace, member_account, member_objects
from broker.side import Side
from broker.sync import BrokerSync
from crds.meta import ClusterId
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.auth import connect, from_token
from isthmus.kube.errors import Forbidden
from isthmus.kube.resources import (
    CLUSTERS,
    ENDPOINTS,
    NAMESPACES,
    RESOURCE_BY_KIND,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
)
from isthmus.reconcile.clock import SystemClock
from tests.apiserver import ApiServer
from tests.builders import cluster_object, endpoint_object
from tests.contract.definitions import define_kinds

pytestmark = pytest.mark.lab

EAST = ClusterId("east")
WEST = ClusterId("west")
POLL = 0.1
PATIENCE = 60.0
"""Seconds; a deleted account's token is honoured for ten more."""


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(round(PATIENCE / POLL)):
        if await holds():
            return
        await asyncio.sleep(POLL)
    raise AssertionError(f"did not come true within {PATIENCE:.0f} s")


@dataclass(frozen=True, slots=True)
class Meeting:
    """A broker namespace at a real API server; `root` may do everything there."""

    running: ApiServer
    root: KubeApi
    namespace: str

    @contextlib.asynccontextmanager
    async def account(self, name: str) -> AsyncIterator[KubeApi]:
        """Offer the API as one of the broker's accounts sees it."""
        token = await self.root.create_token(self.namespace, name, 3600)
        async with connect(from_token(self.running.server, token, self.running.ca_pem)) as api:

            async def authorised() -> bool:
                # The authoriser learns of a new Role by a watch of its own.
                with contextlib.suppress(Forbidden):
                    await api.list(ENDPOINTS, self.namespace)
                    return True
                return False

            await until(authorised)
            yield api

    async def write(self, api: KubeApi, objects: tuple[Object, ...]) -> None:
        for item in objects:
            await api.create(RESOURCE_BY_KIND[item["kind"]], self.namespace, item)


@pytest.fixture
async def meeting(real_api_server: ApiServer) -> AsyncIterator[Meeting]:
    access = from_token(real_api_server.server, real_api_server.admin_token, real_api_server.ca_pem)
    async with connect(access) as root:
        await define_kinds(root)
        namespace = f"broker-{uuid.uuid4().hex[:8]}"
        await root.create(NAMESPACES, None, broker_namespace(namespace))
        meeting = Meeting(real_api_server, root, namespace)
        await meeting.write(root, admin_objects(namespace))
        async with meeting.account(ADMIN_ACCOUNT) as admin:
            for cluster_id in (EAST, WEST):
                await meeting.write(admin, member_objects(namespace, cluster_id))
        yield meeting


async def test_the_administrator_enrols_and_strikes_off_members_without_more_rights(meeting):
    async with meeting.account(ADMIN_ACCOUNT) as admin:
        for resource in (ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS):
            await admin.delete(resource, meeting.namespace, member_account(WEST))
        with pytest.raises(Forbidden):
            await admin.list(NAMESPACES)
        with pytest.raises(Forbidden):
            await admin.list(SECRETS, "kube-system")


async def test_a_member_writes_its_own_and_reads_all(meeting):
    async with meeting.account(member_account(EAST)) as east:
        mine = await east.create(CLUSTERS, meeting.namespace, _placed(cluster_object("east"), meeting))
        await east.replace(CLUSTERS, meeting.namespace, "east", mine)
        own = await east.create(
            ENDPOINTS, meeting.namespace, _placed(endpoint_object("east", "10.1.0.0/16"), meeting)
        )
        await east.delete(ENDPOINTS, meeting.namespace, own["metadata"]["name"])
        assert len((await east.list(CLUSTERS, meeting.namespace)).items) == 1
        await east.delete(CLUSTERS, meeting.namespace, "east")


async def test_a_member_neither_changes_anothers_cluster_nor_reads_secrets_or_accounts(meeting):
    theirs = await meeting.root.create(CLUSTERS, meeting.namespace, _placed(cluster_object("west"), meeting))

    async with meeting.account(member_account(EAST)) as east:
        with pytest.raises(Forbidden):
            await east.replace(CLUSTERS, meeting.namespace, "west", theirs)
        with pytest.raises(Forbidden):
            await east.delete(CLUSTERS, meeting.namespace, "west")
        for resource in (SECRETS, SERVICE_ACCOUNTS, ROLES):
            with pytest.raises(Forbidden):
                await east.list(resource, meeting.namespace)
        with pytest.raises(Forbidden):
            await east.list(CLUSTERS)


@dataclass(frozen=True, slots=True)
class Member:
    """A cluster with its own namespace and its own account at the broker."""

    cluster_id: ClusterId
    namespace: str
    sync: BrokerSync
    kicked: asyncio.Event

    async def run(self) -> None:
        """Run a pass after each kick, as the daemon's loop does."""
        while True:
            self.kicked.clear()
            await self.sync.sync_pass()
            await self.kicked.wait()


@contextlib.asynccontextmanager
async def member(meeting: Meeting, cluster_id: ClusterId, net: int) -> AsyncIterator[Member]:
    namespace = f"{cluster_id}-{uuid.uuid4().hex[:8]}"
    await meeting.root.create(NAMESPACES, None, {"metadata": {"name": namespace}})
    network = f"10.{net}.0.0/16"
    for resource, raw in (
        (CLUSTERS, cluster_object(cluster_id, network, namespace=namespace)),
        (ENDPOINTS, endpoint_object(cluster_id, network, namespace=namespace)),
    ):
        await meeting.root.create(resource, namespace, raw)
    async with meeting.account(member_account(cluster_id)) as api, asyncio.TaskGroup() as group:
        kicked = asyncio.Event()
        sync = BrokerSync(
            cluster_id,
            Side("this cluster's API server", meeting.root, namespace),
            Side("broker", api, meeting.namespace),
            SystemClock(),
        )
        watching = group.create_task(sync.watch(kicked.set))
        yield Member(cluster_id, namespace, sync, kicked)
        watching.cancel()


async def test_two_members_meet_and_one_leaves(meeting):
    async def clusters(namespace: str) -> set[str]:
        listing = await meeting.root.list(CLUSTERS, namespace)
        return {item["metadata"]["name"] for item in listing.items}

    async def seen_by_all(*names: str) -> bool:
        seen = [
            await clusters(namespace) for namespace in (east.namespace, west.namespace, meeting.namespace)
        ]
        return seen == [set(names)] * 3

    async with member(meeting, EAST, 1) as east, member(meeting, WEST, 2) as west:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(each.run()) for each in (east, west)]
            await until(lambda: seen_by_all("east", "west"))
            await meeting.root.delete(CLUSTERS, west.namespace, "west")
            await until(lambda: seen_by_all("east"))
            for task in running:
                task.cancel()

        copies = await meeting.root.list(ENDPOINTS, east.namespace)
        assert {item["spec"]["cluster_id"] for item in copies.items} == {"east", "west"}
        assert (await east.sync.sync_pass()).outcome.writes == 0


async def test_a_revoked_account_is_said_and_takes_no_copy_away(meeting):
    async with member(meeting, EAST, 1) as east:

        async def announced() -> bool:
            return (await east.sync.sync_pass()).outcome.writes == 2

        async def said() -> bool:
            # The account's token is honoured for some seconds more; each change is one more try.
            label = {"metadata": {"labels": {"changed": uuid.uuid4().hex}}}
            await meeting.root.patch(CLUSTERS, east.namespace, "east", label, kind="merge")
            failures = (await east.sync.sync_pass()).outcome.failures
            return any(str(failure).startswith("broker: cannot ") for failure in failures)

        await until(announced)
        await meeting.root.delete(SERVICE_ACCOUNTS, meeting.namespace, member_account(EAST))
        await until(said)

        assert len((await meeting.root.list(CLUSTERS, east.namespace)).items) == 1


def _placed(raw: Object, meeting: Meeting) -> Object:
    raw["metadata"]["namespace"] = meeting.namespace
    return raw


def post(running: ApiServer, path: str, body: str) -> None:
    """Create an object whose text no JSON encoder of ours can make."""
    headers = {"Authorization": f"Bearer {running.admin_token}", "Content-Type": "application/json"}
    request = urllib.request.Request(running.server + path, body.encode(), headers)
    context = ssl.create_default_context(cadata=running.ca_pem)
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        assert answer.status == 201


async def test_an_object_nested_without_measure_is_copied_as_far_as_it_makes_sense(meeting):
    body = json.dumps(endpoint_object("west", "10.2.0.0/16", namespace=meeting.namespace, origin="west"))
    deep = body.replace('"spec": {', '"spec": {"deep": ' + '{"a":' * 9_000 + "1" + "}" * 9_000 + ", ", 1)
    path = ENDPOINTS.path(meeting.namespace)

    async with member(meeting, EAST, 1) as east:
        await asyncio.to_thread(post, meeting.running, path, deep)

        async def copied() -> bool:
            await east.sync.sync_pass()
            listing = await meeting.root.list(ENDPOINTS, east.namespace)
            return {item["spec"]["cluster_id"] for item in listing.items} == {"east", "west"}

        await until(copied)
        assert (await east.sync.sync_pass()).outcome.writes == 0

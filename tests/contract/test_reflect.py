"""A store that follows a real API server through what befalls it: cuts, missing kinds, missing rights."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from isthmus.kube.api import KubeApi
from isthmus.kube.auth import connect, from_token
from isthmus.kube.resources import CRDS, ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS, Resource
from isthmus.kube.store import Store, StoreView
from isthmus.kube.watch import reflect
from isthmus.reconcile.clock import SystemClock
from tests.apiserver import ApiServer
from tests.contract.kubeworld import THINGS, KubeWorld, definition_of, real_world

pytestmark = pytest.mark.lab

LATES = Resource("isthmus.test", "v1", "lates", "Late")
"""A kind that is defined only in the middle of a test."""


class Relay:
    """A TCP relay to the API server that can be cut, with connections and all, and restored."""

    def __init__(self, server: str) -> None:
        self._target = urlsplit(server)
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = True

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._writers |= {writer, back}
        async with asyncio.TaskGroup() as group:
            group.create_task(pump(reader, back))
            group.create_task(pump(there, writer))

    def cut(self) -> None:
        self._open = False
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def restore(self) -> None:
        self._open = True


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        return
    finally:
        writer.transport.abort()


class Following:
    """A running `reflect` and every view that it announced."""

    def __init__(self, resource: Resource) -> None:
        self.store: Store[str] = Store(resource, lambda item: str(item["metadata"]["name"]))
        self.views: list[StoreView[str]] = []
        self._news = asyncio.Event()

    def note(self) -> None:
        self.views.append(self.store.view())
        self._news.set()

    async def until(self, holds: Callable[[StoreView[str]], bool]) -> StoreView[str]:
        async with asyncio.timeout(30):
            while not holds(self.store.view()):
                self._news.clear()
                await self._news.wait()
        return self.store.view()

    async def until_names(self, *names: str) -> None:
        await self.until(lambda view: sorted(view.records.values()) == sorted(names))


@asynccontextmanager
async def following(api: KubeApi, resource: Resource, namespace: str) -> AsyncIterator[Following]:
    it = Following(resource)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(reflect(api, it.store, namespace, SystemClock(), it.note))
        yield it
        task.cancel()


@pytest.fixture
async def real(real_api_server: ApiServer) -> AsyncIterator[KubeWorld]:
    async with real_world(real_api_server) as world:
        yield world


@asynccontextmanager
async def through_relay(running: ApiServer, world: KubeWorld) -> AsyncIterator[tuple[Relay, Following]]:
    relay = Relay(running.server)
    listening = await asyncio.start_server(relay.carry, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    access = from_token(f"https://127.0.0.1:{port}", running.admin_token, running.ca_pem)
    async with listening, connect(access) as api, following(api, THINGS, world.namespace) as it:
        yield relay, it
        relay.cut()


async def test_changes_arrive_as_they_happen(real: KubeWorld):
    await real.api.create(THINGS, real.namespace, real.thing("one"))
    async with following(real.api, THINGS, real.namespace) as it:
        await it.until_names("one")
        await real.api.create(THINGS, real.namespace, real.thing("two"))
        await it.until_names("one", "two")
        await real.api.delete(THINGS, real.namespace, "one")
        await it.until_names("two")

    assert {view.error for view in it.views} == {""}


async def test_what_changed_while_the_connection_was_cut_is_made_up_for(
    real: KubeWorld, real_api_server: ApiServer
):
    await real.api.create(THINGS, real.namespace, real.thing("one"))
    async with through_relay(real_api_server, real) as (relay, it):
        await it.until_names("one")

        relay.cut()
        await it.until(lambda view: view.error != "")
        await real.api.create(THINGS, real.namespace, real.thing("two"))
        relay.restore()
        await it.until_names("one", "two")
        await it.until(lambda view: view.error == "")

    assert all(view.records for view in it.views)


async def test_a_compaction_during_the_cut_never_empties_the_store(
    real: KubeWorld, real_api_server: ApiServer
):
    await real.api.create(THINGS, real.namespace, real.thing("one"))
    async with through_relay(real_api_server, real) as (relay, it):
        await it.until_names("one")

        relay.cut()
        await it.until(lambda view: view.error != "")
        await real.api.create(THINGS, real.namespace, real.thing("two"))
        await real.api.delete(THINGS, real.namespace, "one")
        real.compact()
        relay.restore()
        await it.until_names("two")

    assert all(view.records for view in it.views)


async def test_a_kind_that_is_defined_later_is_found(real: KubeWorld):
    async with following(real.api, LATES, real.namespace) as it:
        view = await it.until(lambda view: view.error != "")
        assert "lates.isthmus.test" in view.error
        assert "install Isthmus' CustomResourceDefinitions" in view.error
        assert not view.synced

        try:
            await real.api.create(CRDS, None, definition_of(LATES))
            await it.until(lambda view: view.synced and view.error == "")
        finally:
            await real.api.delete(CRDS, None, "lates.isthmus.test")


async def test_a_missing_namespace_is_an_empty_one_until_it_is_made(real: KubeWorld):
    async with following(real.api, THINGS, "nowhere") as it:
        view = await it.until(lambda view: view.synced)

    assert (dict(view.records), view.error) == ({}, "")


def role(world: KubeWorld, *verbs: str) -> dict[str, Any]:
    rules = [{"apiGroups": ["isthmus.test"], "resources": ["things"], "verbs": list(verbs)}]
    return {"metadata": {"name": "reader", "namespace": world.namespace}, "rules": rules}


async def let_in(world: KubeWorld, *verbs: str) -> str:
    """Create an account with these verbs on Things and return its token."""
    account = {"metadata": {"name": "reader", "namespace": world.namespace}}
    binding = {
        "metadata": {"name": "reader", "namespace": world.namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": world.namespace}],
    }
    await world.api.create(SERVICE_ACCOUNTS, world.namespace, account)
    await world.api.create(ROLES, world.namespace, role(world, *verbs))
    await world.api.create(ROLE_BINDINGS, world.namespace, binding)
    return await world.api.create_token(world.namespace, "reader", 3600)


async def test_a_role_without_the_verb_watch_is_told_so_until_it_is_granted(
    real: KubeWorld, real_api_server: ApiServer
):
    await real.api.create(THINGS, real.namespace, real.thing("one"))
    token = await let_in(real, "get", "list")
    access = from_token(real_api_server.server, token, real_api_server.ca_pem)
    async with connect(access) as api, following(api, THINGS, real.namespace) as it:
        view = await it.until(lambda view: view.synced and view.error != "")
        assert "cannot watch things.isthmus.test" in view.error
        assert "grant the account that verb" in view.error
        assert list(view.records.values()) == ["one"]

        patch = {"rules": role(real, "get", "list", "watch")["rules"]}
        await real.api.patch(ROLES, real.namespace, "reader", patch, kind="merge")
        await it.until(lambda view: view.error == "")


async def test_a_token_that_is_revoked_while_it_is_used_leaves_the_store_and_says_so(
    real: KubeWorld, real_api_server: ApiServer
):
    await real.api.create(THINGS, real.namespace, real.thing("one"))
    token = await let_in(real, "get", "list", "watch")
    relay = Relay(real_api_server.server)
    listening = await asyncio.start_server(relay.carry, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    access = from_token(f"https://127.0.0.1:{port}", token, real_api_server.ca_pem)
    async with listening, connect(access) as api, following(api, THINGS, real.namespace) as it:
        await it.until_names("one")
        await real.api.delete(SERVICE_ACCOUNTS, real.namespace, "reader")
        # The server trusts a token for 10 s after it was found valid, and an open watch as long as it lives.
        while "no longer valid" not in it.store.view().error:
            relay.cut()
            relay.restore()
            await asyncio.sleep(1)
        relay.cut()
        view = it.store.view()

    assert list(view.records.values()) == ["one"]

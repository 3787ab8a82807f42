"""One world for the contract tests of `KubeApi`, made of the fake or of a real API server."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from isthmus.kube.api import KubeApi, Object
from isthmus.kube.auth import connect, from_token
from isthmus.kube.errors import (
    ApiError,
    BadCertificate,
    Forbidden,
    NoSuchKind,
    NotFound,
    Unauthorized,
    Unavailable,
)
from isthmus.kube.resources import CRDS, NAMESPACES, RESOURCE_BY_KIND, SERVICE_ACCOUNTS, Resource
from isthmus.kube.transport import Limits
from tests.apiserver import ApiServer, free_ports
from tests.fakes.kubeapi import FakeKube

THINGS = Resource("isthmus.test", "v1", "things", "Thing")
ABSENTS = Resource("isthmus.test", "v1", "absents", "Absent")
"""A kind that no CustomResourceDefinition defines."""

PAGE = 3
"""Objects per page of the real client, so that a short list already needs several."""

Opened = AbstractAsyncContextManager[KubeApi]


@dataclass(frozen=True, slots=True)
class KubeWorld:
    """`api` may do everything; the other clients are each refused in one way."""

    api: KubeApi
    namespace: str
    watch_seconds: int
    compact: Callable[[], None]
    stranger: Callable[[], Opened]
    revoked: Callable[[], Opened]
    mistrusting: Callable[[], Opened]
    misdirected: Callable[[], Opened]

    def thing(self, name: str, labels: dict[str, str] | None = None, **spec: object) -> Object:
        metadata = {"name": name, "namespace": self.namespace, "labels": labels or {}}
        return {"apiVersion": THINGS.api_version, "kind": "Thing", "metadata": metadata, "spec": spec}


@asynccontextmanager
async def fake_world() -> AsyncIterator[KubeWorld]:
    fake = FakeKube(namespaces=["default", "test"], served=[*RESOURCE_BY_KIND.values(), THINGS])

    @asynccontextmanager
    async def refusing(error: type[ApiError]) -> AsyncIterator[KubeApi]:
        fake.refuse(error)
        yield fake
        fake.accept_all()

    yield KubeWorld(
        api=fake,
        namespace="test",
        watch_seconds=1,
        compact=fake.compact,
        stranger=lambda: refusing(Forbidden),
        revoked=lambda: refusing(Unauthorized),
        mistrusting=lambda: refusing(BadCertificate),
        misdirected=lambda: refusing(Unavailable),
    )


@asynccontextmanager
async def real_world(running: ApiServer) -> AsyncIterator[KubeWorld]:
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    admin = from_token(running.server, running.admin_token, running.ca_pem)

    @asynccontextmanager
    async def account(deleted: bool) -> AsyncIterator[KubeApi]:
        body = {"metadata": {"name": "stranger", "namespace": namespace}}
        await api.create(SERVICE_ACCOUNTS, namespace, body)
        token = await api.create_token(namespace, "stranger", 3600)
        if deleted:
            await api.delete(SERVICE_ACCOUNTS, namespace, "stranger")
        async with connect(from_token(running.server, token, running.ca_pem)) as other:
            yield other

    def elsewhere() -> Opened:
        return connect(from_token(f"https://127.0.0.1:{free_ports(1)[0]}", "x", running.ca_pem))

    async with connect(admin, Limits(page=PAGE)) as api:
        await _define_things(api)
        await api.create(NAMESPACES, None, {"metadata": {"name": namespace}})
        yield KubeWorld(
            api=api,
            namespace=namespace,
            watch_seconds=5,
            compact=running.compact,
            stranger=lambda: account(deleted=False),
            revoked=lambda: account(deleted=True),
            mistrusting=lambda: connect(
                from_token(running.server, running.admin_token, running.other_ca_pem)
            ),
            misdirected=elsewhere,
        )


def definition_of(resource: Resource) -> Object:
    """A CustomResourceDefinition of a namespaced kind that takes any content."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": resource.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "metadata": {"name": str(resource)},
        "spec": {
            "group": resource.group,
            "scope": "Namespaced",
            "names": {"plural": resource.plural, "kind": resource.kind},
            "versions": [version],
        },
    }


async def _define_things(api: KubeApi) -> None:
    try:
        await api.get(CRDS, None, str(THINGS))
    except NotFound:
        await api.create(CRDS, None, definition_of(THINGS))
    while True:
        try:
            await api.list(THINGS)
            return
        except NoSuchKind:
            await asyncio.sleep(0.1)

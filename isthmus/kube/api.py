"""What Isthmus asks of an API server, as a boundary. The real one is `kube.client`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from isthmus.kube.resources import Resource

Object = dict[str, Any]
"""A Kubernetes object as decoded JSON."""

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
PatchKind = Literal["merge", "apply"]
"""JSON merge patch (RFC 7386), or server-side apply as the field manager `isthmus`, taking over conflicts."""

WATCH_SECONDS = 290
"""How long the server keeps one watch open before it ends it in order."""


@dataclass(frozen=True, slots=True)
class ObjectList:
    """A consistent list; a watch from its `resource_version` misses nothing."""

    items: tuple[Object, ...]
    resource_version: str


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change. The object of a BOOKMARK holds nothing but the resource version reached."""

    type: EventType
    object: Object


class KubeApi(Protocol):
    """One API server. Every method raises `kube.errors.ApiError` when it is refused.

    `namespace` is None (or "") for cluster-scoped kinds and, in list and watch, for all namespaces.
    """

    @property
    def server(self) -> str:
        """The server's URL, for messages."""

    async def list(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = ""
    ) -> ObjectList:
        """Read a whole collection, page by page."""

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str = "",
        timeout_seconds: int = WATCH_SECONDS,
    ) -> AsyncGenerator[WatchEvent, None]:
        """Yield every change after *resource_version* until the server ends the watch; `Gone` if too old.

        The first event is a BOOKMARK of *resource_version* itself: the server has accepted the watch.
        """

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        """Read one object."""

    async def create(self, resource: Resource, namespace: str | None, body: Object) -> Object:
        """Create an object and return it as stored."""

    async def replace(self, resource: Resource, namespace: str | None, name: str, body: Object) -> Object:
        """Replace the object whose resourceVersion *body* carries; `Conflict` if it changed meanwhile."""

    async def patch(
        self, resource: Resource, namespace: str | None, name: str, body: Object, *, kind: PatchKind
    ) -> Object:
        """Change part of an object; `apply` also creates it."""

    async def delete(
        self, resource: Resource, namespace: str | None, name: str, *, uid: str | None = None
    ) -> None:
        """Delete an object; with *uid*, only that very one (`Conflict` otherwise)."""

    async def create_token(self, namespace: str, service_account: str, seconds: int) -> str:
        """Issue a bearer token of a ServiceAccount, valid for *seconds*."""

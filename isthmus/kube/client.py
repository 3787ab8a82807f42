"""The real `KubeApi`: Kubernetes' REST conventions over `kube.transport`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from isthmus.kube.access import Access
from isthmus.kube.api import WATCH_SECONDS, KubeApi, Object, ObjectList, PatchKind, WatchEvent
from isthmus.kube.errors import Call, Gone, Unavailable
from isthmus.kube.refusal import refusal_of_status
from isthmus.kube.resources import SERVICE_ACCOUNTS, Resource
from isthmus.kube.transport import JSON, Limits, Request, Transport

FIELD_MANAGER = "isthmus"
PATCH_TYPES: Mapping[PatchKind, str] = {
    "merge": "application/merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


@asynccontextmanager
async def connect(access: Access, limits: Limits | None = None) -> AsyncIterator[KubeApi]:
    """Offer the API of one server for the block's duration; nothing is sent before the first call."""
    transport = Transport(access, limits or Limits())
    try:
        yield HttpKube(transport)
    finally:
        await transport.close()


class HttpKube:
    """One API server over HTTP."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def server(self) -> str:
        return self._transport.access.server

    async def list(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = ""
    ) -> ObjectList:
        selection = _selection(label_selector)
        try:
            return await self._pages(resource, namespace, selection)
        except Gone:
            # The snapshot behind the pages is no longer kept (they took minutes): ask for all at once.
            return await self._page(resource, namespace, selection)

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str = "",
        timeout_seconds: int = WATCH_SECONDS,
    ) -> AsyncGenerator[WatchEvent, None]:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(timeout_seconds),
            **_selection(label_selector),
        }
        call = self._call("watch", resource, namespace)
        request = Request(call, "GET", resource.path(namespace), query)
        async with aclosing(self._transport.stream(request)) as lines:
            async for line in lines:
                if line is None:
                    yield WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": resource_version}})
                else:
                    yield _event(call, line)

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        call = self._call("get", resource, namespace, name)
        return await self._transport.fetch(Request(call, "GET", resource.path(namespace, name), {}))

    async def create(self, resource: Resource, namespace: str | None, body: Object) -> Object:
        metadata = body.get("metadata") or {}
        call = self._call("create", resource, namespace, metadata.get("name", ""))
        return await self._transport.fetch(Request(call, "POST", resource.path(namespace), {}, body))

    async def replace(self, resource: Resource, namespace: str | None, name: str, body: Object) -> Object:
        call = self._call("update", resource, namespace, name)
        return await self._transport.fetch(Request(call, "PUT", resource.path(namespace, name), {}, body))

    async def patch(
        self, resource: Resource, namespace: str | None, name: str, body: Object, *, kind: PatchKind
    ) -> Object:
        call = self._call("patch", resource, namespace, name)
        query = {"fieldManager": FIELD_MANAGER} | ({"force": "true"} if kind == "apply" else {})
        path = resource.path(namespace, name)
        return await self._transport.fetch(Request(call, "PATCH", path, query, body, PATCH_TYPES[kind]))

    async def delete(
        self, resource: Resource, namespace: str | None, name: str, *, uid: str | None = None
    ) -> None:
        call = self._call("delete", resource, namespace, name)
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        path = resource.path(namespace, name)
        await self._transport.fetch(Request(call, "DELETE", path, {}, options, JSON))

    async def create_token(self, namespace: str, service_account: str, seconds: int) -> str:
        call = self._call("create", SERVICE_ACCOUNTS, namespace, service_account)
        path = SERVICE_ACCOUNTS.path(namespace, service_account) + "/token"
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        answer = await self._transport.fetch(Request(call, "POST", path, {}, body))
        return str(answer["status"]["token"])

    async def _pages(
        self, resource: Resource, namespace: str | None, selection: Mapping[str, str]
    ) -> ObjectList:
        size = {"limit": str(self._transport.limits.page)}
        items: tuple[Object, ...] = ()
        position: dict[str, str] = {}
        while True:
            page = await self._request_page(resource, namespace, {**selection, **size, **position})
            items += _items(resource, page)
            if not page["metadata"].get("continue"):
                return ObjectList(items, page["metadata"]["resourceVersion"])
            position = {"continue": page["metadata"]["continue"]}

    async def _page(
        self, resource: Resource, namespace: str | None, selection: Mapping[str, str]
    ) -> ObjectList:
        page = await self._request_page(resource, namespace, selection)
        return ObjectList(_items(resource, page), page["metadata"]["resourceVersion"])

    async def _request_page(
        self, resource: Resource, namespace: str | None, query: Mapping[str, str]
    ) -> dict[str, Any]:
        call = self._call("list", resource, namespace)
        page = await self._transport.fetch(Request(call, "GET", resource.path(namespace), query))
        if "metadata" not in page:
            raise Unavailable(call, "the answer is no list: is this an API server?")
        return page

    def _call(self, verb: str, resource: Resource, namespace: str | None, name: str = "") -> Call:
        return Call(self.server, verb, str(resource), namespace or "", name)


def _selection(label_selector: str) -> dict[str, str]:
    return {"labelSelector": label_selector} if label_selector else {}


def _items(resource: Resource, page: Mapping[str, Any]) -> tuple[Object, ...]:
    """The objects of a list; built-in kinds name their kind only on the list, so it is put in."""
    named = {"apiVersion": resource.api_version, "kind": resource.kind}
    return tuple({**named, **item} for item in page.get("items") or ())


def _event(call: Call, line: Any) -> WatchEvent:
    match line:
        case {"type": "ERROR", "object": dict(status)}:
            raise refusal_of_status(call, status.get("code") or 500, status)
        case {"type": "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" as kind, "object": dict(item)}:
            return WatchEvent(kind, item)
    raise Unavailable(call, "the answer is no watch event: is this an API server?")

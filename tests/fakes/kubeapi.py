"""An API server in memory, with the answers that matter: versions, watches, conflicts, and every refusal.

It passes the same contract tests as the real client (tests/contract/test_kubeapi.py). It does not validate
against schemas, and its time passes by versions, not by the clock. Unlike a bare API server it fills the
token of a ServiceAccount's token Secret and empties a deleted namespace, as the controllers would.
"""

from __future__ import annotations

import asyncio
import base64
import copy
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from isthmus.kube.api import WATCH_SECONDS, Object, ObjectList, PatchKind, WatchEvent
from isthmus.kube.errors import (
    AlreadyExists,
    ApiError,
    Call,
    Conflict,
    Gone,
    NoSuchKind,
    NotFound,
    Refused,
)
from isthmus.kube.resources import CRDS, NAMESPACES, RESOURCE_BY_KIND, SECRETS, SERVICE_ACCOUNTS, Resource
from tests.fakes.kubeobjects import content, is_name, matches, merge, without_dropped

Failure = ApiError | type[ApiError]
StoredKey = tuple[Resource, str, str]
WRITES = frozenset({"create", "update", "patch", "delete"})
FIRST_CREATION = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the history; a bookmark has neither an old nor a new object."""

    version: int
    resource: Resource | None
    old: Object | None
    new: Object | None


class FakeKube:
    """A `KubeApi`, and the knobs of a test: `put`, `fail_next`, `refuse`, `compact`, `drop_watches`."""

    def __init__(
        self,
        objects: Iterable[Object] = (),
        *,
        namespaces: Iterable[str] = ("default", "kube-system"),
        served: Iterable[Resource] = tuple(RESOURCE_BY_KIND.values()),
        server: str = "https://fake:6443",
    ) -> None:
        self._server = server
        self._served = set(served)
        self._stored: dict[StoredKey, Object] = {}
        self._applied: dict[StoredKey, Object] = {}
        self._history: list[Change] = []
        self._version = 100
        self._compacted = 0
        self._news = asyncio.Event()
        self._drop: tuple[int, Failure | None] = (0, None)
        self._once: list[tuple[str, Resource | None, Failure]] = []
        self._refusals: list[tuple[str | None, Resource | None, Failure]] = []
        self.calls: list[Call] = []
        for name in namespaces:
            self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for item in objects:
            self.put(item)

    @property
    def server(self) -> str:
        return self._server

    @property
    def writes(self) -> int:
        """How many create, update, patch and delete calls came in, refused ones included."""
        return sum(call.verb in WRITES for call in self.calls)

    def put(self, item: Object) -> Object:
        """Create or replace an object as if someone else did, without any refusal."""
        resource = RESOURCE_BY_KIND[item["kind"]]
        metadata = item["metadata"]
        key = (resource, metadata.get("namespace", "") if resource.namespaced else "", metadata["name"])
        return copy.deepcopy(self._store(key, item))

    def remove(self, resource: Resource, namespace: str | None, name: str) -> None:
        """Delete an object as if someone else did."""
        self._discard((resource, namespace or "", name))

    def lose(self, resource: Resource, namespace: str | None, name: str) -> None:
        """Hold an object no more and tell no watch, as a server that was restored from a backup."""
        del self._stored[resource, namespace or "", name]

    def object(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        """Look at one object; None if it is not there."""
        return copy.deepcopy(self._stored.get((resource, namespace or "", name)))

    def objects(self, resource: Resource, namespace: str | None = None) -> list[Object]:
        """Look at all objects of a kind, by namespace and name."""
        found = [key for key in self._stored if key[0] == resource and (not namespace or key[1] == namespace)]
        return [copy.deepcopy(self._stored[key]) for key in sorted(found)]

    def fail_next(self, verb: str, error: Failure, resource: Resource | None = None) -> None:
        """Refuse the next such call once. *verb* as RBAC says it: list, watch, get, create, update, …"""
        self._once.append((verb, resource, error))

    def refuse(self, error: Failure, *, verb: str | None = None, resource: Resource | None = None) -> None:
        """Refuse every such call until `accept_all`, and end such watches now."""
        self._refusals.append((verb, resource, error))
        if verb in (None, "watch"):
            self.drop_watches(error)

    def accept_all(self) -> None:
        """End every refusal."""
        self._refusals.clear()
        self._once.clear()

    def withdraw(self, resource: Resource) -> None:
        """No longer know a kind, as when its CRD is missing."""
        self._served.discard(resource)

    def compact(self) -> None:
        """Forget the history: a watch from an older version is Gone."""
        self._compacted = self._version

    def drop_watches(self, error: Failure | None = None) -> None:
        """End the open watches, in order or with *error*."""
        self._drop = (self._drop[0] + 1, error)
        self._wake()

    def send_bookmark(self) -> None:
        """Send a bookmark of the present version to the open watches."""
        self._history.append(Change(self._version, None, None, None))
        self._wake()

    async def list(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = ""
    ) -> ObjectList:
        self._admit("list", resource, namespace)
        items = [item for item in self.objects(resource, namespace) if matches(label_selector, item)]
        return ObjectList(tuple(items), str(self._version))

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str = "",
        timeout_seconds: int = WATCH_SECONDS,
    ) -> AsyncGenerator[WatchEvent, None]:
        call = self._admit("watch", resource, namespace)
        since = int(resource_version)
        if since < self._compacted:
            raise Gone(call, f"too old resource version: {since} ({self._compacted})")
        epoch = self._drop[0]
        position = sum(change.version <= since for change in self._history)
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        yield WatchEvent("BOOKMARK", _bookmark(since))
        while True:
            while position < len(self._history):
                change = self._history[position]
                position += 1
                if event := _event(change, resource, namespace, label_selector):
                    yield event
            if self._drop[0] != epoch:
                if self._drop[1] is None:
                    return
                raise _error(self._drop[1], call)
            if position == len(self._history) and not await self._wait_until(deadline):
                yield WatchEvent("BOOKMARK", _bookmark(self._version))
                return

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        call = self._admit("get", resource, namespace, name)
        return copy.deepcopy(self._found(call, (resource, namespace or "", name)))

    async def create(self, resource: Resource, namespace: str | None, body: Object) -> Object:
        metadata = body.get("metadata", {})
        name = metadata.get("name") or f"{metadata.get('generateName', '')}{self._version:05x}"
        call = self._admit("create", resource, namespace, name)
        if not is_name(name):
            raise Refused(call, f'metadata.name: Invalid value: "{name}"')
        if resource.namespaced and (NAMESPACES, "", namespace or "") not in self._stored:
            raise NotFound(call, f'namespaces "{namespace}" not found')
        key = (resource, namespace or "", name)
        if key in self._stored:
            raise AlreadyExists(call, f'{resource} "{name}" already exists')
        if resource == CRDS:
            self._serve(body)
        return copy.deepcopy(self._store(key, body))

    async def replace(self, resource: Resource, namespace: str | None, name: str, body: Object) -> Object:
        call = self._admit("update", resource, namespace, name)
        key = (resource, namespace or "", name)
        self._found(call, key)
        if not body["metadata"].get("resourceVersion"):
            raise Refused(call, "metadata.resourceVersion: must be specified for an update")
        self._expect_version(call, key, body)
        return copy.deepcopy(self._store(key, body))

    async def patch(
        self, resource: Resource, namespace: str | None, name: str, body: Object, *, kind: PatchKind
    ) -> Object:
        call = self._admit("patch", resource, namespace, name)
        key = (resource, namespace or "", name)
        if kind == "merge":
            stored = self._found(call, key)
            self._expect_version(call, key, body)
            return copy.deepcopy(self._store(key, merge(stored, body)))
        if resource.namespaced and (NAMESPACES, "", namespace or "") not in self._stored:
            raise NotFound(call, f'namespaces "{namespace}" not found')
        kept = without_dropped(self._stored.get(key, {}), self._applied.get(key, {}), body)
        self._applied[key] = copy.deepcopy(body)
        return copy.deepcopy(self._store(key, merge(kept, body)))

    async def delete(
        self, resource: Resource, namespace: str | None, name: str, *, uid: str | None = None
    ) -> None:
        call = self._admit("delete", resource, namespace, name)
        stored = self._found(call, (resource, namespace or "", name))
        if uid is not None and stored["metadata"]["uid"] != uid:
            raise Conflict(call, f"the UID in the precondition ({uid}) does not match the UID in record")
        self._discard((resource, namespace or "", name))

    async def create_token(self, namespace: str, service_account: str, seconds: int) -> str:
        call = self._admit("create", SERVICE_ACCOUNTS, namespace, service_account)
        self._found(call, (SERVICE_ACCOUNTS, namespace, service_account))
        return f"token.{namespace}.{service_account}.{seconds}.{len(self.calls)}"

    def _admit(self, verb: str, resource: Resource, namespace: str | None, name: str = "") -> Call:
        call = Call(self._server, verb, str(resource), namespace or "", name)
        self.calls.append(call)
        for wanted_verb, wanted, error in self._refusals:
            if wanted_verb in (None, verb) and wanted in (None, resource):
                raise _error(error, call)
        for planned in self._once:
            if planned[0] == verb and planned[1] in (None, resource):
                self._once.remove(planned)
                raise _error(planned[2], call)
        if resource not in self._served:
            raise NoSuchKind(call, "the server could not find the requested resource")
        return call

    def _found(self, call: Call, key: StoredKey) -> Object:
        if key not in self._stored:
            raise NotFound(call, f'{key[0]} "{key[2]}" not found')
        return self._stored[key]

    def _expect_version(self, call: Call, key: StoredKey, body: Object) -> None:
        expected = body.get("metadata", {}).get("resourceVersion")
        if expected and expected != self._stored[key]["metadata"]["resourceVersion"]:
            raise Conflict(
                call, "the object has been modified; please apply your changes to the latest version"
            )

    def _store(self, key: StoredKey, body: Object) -> Object:
        resource, namespace, name = key
        old = self._stored.get(key)
        item = content(body)
        item |= {"apiVersion": resource.api_version, "kind": resource.kind}
        item["metadata"] |= {"name": name} | ({"namespace": namespace} if namespace else {})
        _fill_token(resource, item)
        if old is not None and content(old) == item:
            return old
        self._version += 1
        created = FIRST_CREATION + timedelta(seconds=self._version)
        system = {
            "uid": f"uid-{self._version}",
            "creationTimestamp": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if old is not None:
            system = {field: old["metadata"][field] for field in system}
        item["metadata"] |= system | {"resourceVersion": str(self._version)}
        self._stored[key] = item
        self._record(resource, old, item)
        return item

    def _discard(self, key: StoredKey) -> None:
        old = self._stored.pop(key)
        self._applied.pop(key, None)
        self._version += 1
        last = copy.deepcopy(old)
        last["metadata"]["resourceVersion"] = str(self._version)
        self._record(key[0], last, None)
        if key[0] == NAMESPACES:
            for inside in [other for other in self._stored if other[1] == key[2]]:
                self._discard(inside)

    def _record(self, resource: Resource, old: Object | None, new: Object | None) -> None:
        self._history.append(Change(self._version, resource, old, new))
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _wait_until(self, deadline: float) -> bool:
        try:
            async with asyncio.timeout_at(deadline):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _serve(self, definition: Object) -> None:
        spec = definition["spec"]
        known = RESOURCE_BY_KIND.get(spec["names"]["kind"])
        if known is not None and (known.group, known.plural) == (spec["group"], spec["names"]["plural"]):
            self._served.add(known)


def _error(failure: Failure, call: Call) -> ApiError:
    return failure if isinstance(failure, ApiError) else failure(call, "the test wants it so")


def _event(change: Change, resource: Resource, namespace: str | None, selector: str) -> WatchEvent | None:
    """What a watcher with this scope sees of a change."""
    if change.resource is None:
        return WatchEvent("BOOKMARK", _bookmark(change.version))
    if change.resource != resource:
        return None

    def concerns(item: Object | None) -> bool:
        if item is None or (namespace and item["metadata"].get("namespace") != namespace):
            return False
        return matches(selector, item)

    if concerns(change.new):
        kind: Any = "MODIFIED" if concerns(change.old) else "ADDED"
        return WatchEvent(kind, copy.deepcopy(change.new or {}))
    if concerns(change.old):
        last = copy.deepcopy(change.old or {})
        last["metadata"]["resourceVersion"] = str(change.version)
        return WatchEvent("DELETED", last)
    return None


def _bookmark(version: int) -> Object:
    return {"metadata": {"resourceVersion": str(version)}}


def _fill_token(resource: Resource, item: Object) -> None:
    account = (item["metadata"].get("annotations") or {}).get("kubernetes.io/service-account.name")
    if resource != SECRETS or item.get("type") != "kubernetes.io/service-account-token" or not account:
        return
    namespace = item["metadata"]["namespace"]
    token = {"token": f"token.{namespace}.{account}", "namespace": namespace, "ca.crt": "fake CA\n"}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in token.items()}
    item["data"] = encoded | (item.get("data") or {})

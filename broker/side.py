"""One of the two API servers that are kept alike: what it holds, and how it is written to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType

from broker.transform import ItemKey, SyncItem, read_cluster, read_endpoint, render
from crds.cluster import KIND as CLUSTER
from crds.endpoint import KIND as ENDPOINT
from isthmus.kube import errors
from isthmus.kube.api import KubeApi
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, Resource
from isthmus.kube.store import Store
from isthmus.kube.watch import reflect
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.delta import Delta
from isthmus.reconcile.errors import Transient

RESOURCES = MappingProxyType({CLUSTER: CLUSTERS, ENDPOINT: ENDPOINTS})
_READERS = MappingProxyType({CLUSTER: read_cluster, ENDPOINT: read_endpoint})

_SERVER_TROUBLE = (errors.Unavailable, errors.Unauthorized, errors.BadCertificate, errors.Throttled)
"""What concerns every call to the server alike: after one of these the pass tries no other call."""


@dataclass(frozen=True, slots=True)
class Side:
    """An API server and the namespace there; `title` names it in messages."""

    title: str
    api: KubeApi
    namespace: str

    def trouble(self, error: errors.ApiError | str) -> Transient:
        """Return *error* with the side that it is about, as what the next pass tries again."""
        return Transient(f"{self.title}: {error}")


class SideStores:
    """The last known Clusters and Endpoints of one side."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._clusters = Store(CLUSTERS, read_cluster)
        self._endpoints = Store(ENDPOINTS, read_endpoint)

    async def watch(self, clock: Clock, on_change: Callable[[], None]) -> None:
        """Keep both kinds up to date for ever; *on_change* is called after every change."""
        async with asyncio.TaskGroup() as group:
            for store in (self._clusters, self._endpoints):
                group.create_task(reflect(self.side.api, store, self.side.namespace, clock, on_change))

    @property
    def synced(self) -> bool:
        """Whether both kinds were listed at least once."""
        return self._clusters.view().synced and self._endpoints.view().synced

    @property
    def trouble(self) -> Transient | None:
        """What keeps the side from being read at present; one cause, though it shows in both kinds."""
        error = self._clusters.view().error or self._endpoints.view().error
        return self.side.trouble(error) if error else None

    def items(self) -> dict[ItemKey, SyncItem]:
        """Return what was last known, in the order of keys."""
        records = [*self._clusters.view().records.values(), *self._endpoints.view().records.values()]
        return {item.key: item for item in sorted(records, key=lambda item: item.key)}


@dataclass(frozen=True, slots=True)
class Written:
    """What the writes to one side came to; `refused` are objects whose content the server will not take."""

    added: list[SyncItem] = field(default_factory=list)
    changed: list[SyncItem] = field(default_factory=list)
    removed: list[SyncItem] = field(default_factory=list)
    refused: list[tuple[SyncItem, errors.Refused]] = field(default_factory=list)
    failures: list[Transient] = field(default_factory=list)


async def write(side: Side, delta: Delta[ItemKey, SyncItem]) -> Written:
    """Write *delta* to one side, adds first. What is so already is not written again."""
    written = Written()
    steps = [(_put, item) for item in (*delta.added.values(), *delta.changed.values())]
    steps += [(_drop, item) for item in delta.removed.values()]
    for step, item in steps:
        try:
            await step(side, item, written)
        except errors.Refused as error:
            written.refused.append((item, error))
        except _SERVER_TROUBLE as error:
            written.failures.append(side.trouble(error))
            break
        except errors.ApiError as error:
            written.failures.append(side.trouble(error))
    return written


async def absence(side: Side, own: SyncItem) -> Transient | None:
    """Return why what is missing on a side does not mean that its owner removed it; None if it does.

    When a whole namespace goes, all its objects are told to be deleted, and of one that is gone an empty list
    is served. Only a write tells: it is refused there. *own* is this cluster's, so that it may be written.
    """
    try:
        await side.api.create(_resource(own), side.namespace, render(own, side.namespace))
    except errors.AlreadyExists:
        return None
    except errors.ApiError as error:
        return side.trouble(error)
    return None


async def remove_all(side: Side, label_selector: str) -> Written:
    """Delete the Clusters and Endpoints that *label_selector* picks on one side."""
    written = Written()
    # Endpoints first: others tell of an Endpoint without its Cluster that it still waits for it.
    for kind in sorted(RESOURCES, reverse=True):
        try:
            listing = await side.api.list(RESOURCES[kind], side.namespace, label_selector=label_selector)
            for raw in listing.items:
                await _drop(side, _READERS[kind](raw), written)
        except errors.NoSuchKind:
            continue
        except _SERVER_TROUBLE as error:
            written.failures.append(side.trouble(error))
            break
        except errors.ApiError as error:
            written.failures.append(side.trouble(error))
    return written


async def _put(side: Side, item: SyncItem, written: Written) -> None:
    resource = _resource(item)
    try:
        existing = await side.api.get(resource, side.namespace, item.ref.name)
    except errors.NotFound:
        await side.api.create(resource, side.namespace, render(item, side.namespace))
        written.added.append(item)
        return
    # The store may lag behind our own last write.
    if _READERS[item.ref.kind](existing).body != item.body:
        body = render(item, side.namespace, existing)
        await side.api.replace(resource, side.namespace, item.ref.name, body)
        written.changed.append(item)


async def _drop(side: Side, item: SyncItem, written: Written) -> None:
    try:
        await side.api.delete(_resource(item), side.namespace, item.ref.name)
    except errors.NotFound:
        return
    written.removed.append(item)


def _resource(item: SyncItem) -> Resource:
    return RESOURCES[item.ref.kind]

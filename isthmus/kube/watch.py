"""Keep a `Store` equal to what an API server holds, for ever.

Decisions are `kube.watchstate`'s; this is the shell that makes the calls. A refusal is never fatal: the store
keeps its content, says in `error` what is wrong, and the next try follows with backoff.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import structlog

from isthmus.kube import errors
from isthmus.kube.api import WATCH_SECONDS, KubeApi
from isthmus.kube.store import Store
from isthmus.kube.watchstate import (
    Event,
    ListAll,
    Listed,
    ListFailed,
    WatchBroken,
    WatchEnded,
    WatchFrom,
    WatchState,
)
from isthmus.reconcile.backoff import Backoff
from isthmus.reconcile.clock import Clock

log = structlog.get_logger()

BACKOFF = Backoff(minimum=0.5, maximum=30.0)
SHORTEST_WATCH = WATCH_SECONDS * 0.8
"""Watches end at spread times, so that those opened together after an outage do not stay together."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the objects of one store come from."""

    api: KubeApi
    namespace: str | None
    label_selector: str
    clock: Clock


async def reflect(
    api: KubeApi,
    store: Store[Any],
    namespace: str | None,
    clock: Clock,
    on_change: Callable[[], None],
    label_selector: str = "",
) -> None:
    """List and watch the store's kind without end; call *on_change* whenever `store.view()` differs."""
    source = Source(api, namespace, label_selector, clock)
    state = WatchState(BACKOFF)
    command: ListAll | WatchFrom = ListAll()
    while True:
        if command.after > 0:
            await clock.sleep(command.after)
        match command:
            case ListAll():
                event = await _list(source, store, on_change)
            case WatchFrom(version):
                event = await _watch(source, store, on_change, version)
        # Chance for a delay, nothing secret.
        command = state.handle(event, random.random())


async def _list(source: Source, store: Store[Any], on_change: Callable[[], None]) -> Event:
    try:
        listing = await source.api.list(
            store.resource, source.namespace, label_selector=source.label_selector
        )
    except errors.ApiError as error:
        _say(store, on_change, str(error))
        return ListFailed(error.retry_after)
    if store.replace(listing.items):
        on_change()
    return Listed(listing.resource_version)


async def _watch(source: Source, store: Store[Any], on_change: Callable[[], None], version: str) -> Event:
    began = source.clock.monotonic()
    events_seen = 0
    seconds = int(random.uniform(SHORTEST_WATCH, WATCH_SECONDS))
    stream = source.api.watch(
        store.resource,
        source.namespace,
        resource_version=version,
        label_selector=source.label_selector,
        timeout_seconds=seconds,
    )
    try:
        async with aclosing(stream) as events:
            async for event in events:
                _say(store, on_change, "")
                version = event.object["metadata"]["resourceVersion"]
                events_seen += 1
                if store.apply(event):
                    on_change()
    except errors.Gone:
        return WatchBroken(version, source.clock.monotonic() - began, expired=True)
    except errors.ApiError as error:
        _say(store, on_change, str(error))
        return WatchBroken(version, source.clock.monotonic() - began, retry_after=error.retry_after)
    # The first event is only the server's consent to the watch.
    return WatchEnded(version, source.clock.monotonic() - began, heard=events_seen > 1)


def _say(store: Store[Any], on_change: Callable[[], None], error: str) -> None:
    """Pass on the watch's health; only news is logged, not every further try."""
    if not store.note_error(error):
        return
    if error:
        log.warning("watch_failed", kind=store.resource.kind, error=error)
    else:
        log.info("watch_recovered", kind=store.resource.kind)
    on_change()

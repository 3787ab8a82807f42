"""What is known of one kind of objects at one server: parsed records, refused objects, and how fresh it is.

`kube.watch` keeps it up to date; a snapshot reads `view()`. An unreachable server changes only `error`: the
last known records stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from crds.meta import Invalid
from isthmus.kube.api import Object, WatchEvent
from isthmus.kube.resources import Resource

R = TypeVar("R")

Key = tuple[str, str]
"""(namespace, name); the namespace of a cluster-scoped object is ""."""


def key_of(item: Object) -> Key:
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


@dataclass(frozen=True, slots=True)
class StoreView(Generic[R]):
    """The store's content at one moment. `error` is the watch's present trouble, "" while all is well."""

    records: Mapping[Key, R]
    invalid: tuple[Invalid, ...]
    synced: bool
    error: str


class Store(Generic[R]):
    """Records of one kind, by key."""

    def __init__(self, resource: Resource, parse: Callable[[Object], R]) -> None:
        self.resource = resource
        self._parse = parse
        self._records: dict[Key, R] = {}
        self._invalid: dict[Key, Invalid] = {}
        self._synced = False
        self._error = ""
        self._view: StoreView[R] | None = None

    def view(self) -> StoreView[R]:
        """The present content; a later change gives a new view and leaves this one as it is."""
        if self._view is None:
            self._view = StoreView(
                MappingProxyType(dict(self._records)),
                tuple(self._invalid[key] for key in sorted(self._invalid)),
                self._synced,
                self._error,
            )
        return self._view

    def replace(self, items: Iterable[Object]) -> bool:
        """Take over a complete list; True if that changed anything."""
        before = (self._records, self._reasons(), self._synced)
        self._records, self._invalid, self._synced = {}, {}, True
        for item in items:
            self._put(item)
        return self._changed(before != (self._records, self._reasons(), True))

    def apply(self, event: WatchEvent) -> bool:
        """Take over one change; True if that changed anything."""
        if event.type == "BOOKMARK":
            return False
        key = key_of(event.object)
        before = (self._records.get(key), self._reason(key))
        self._records.pop(key, None)
        self._invalid.pop(key, None)
        if event.type != "DELETED":
            self._put(event.object)
        return self._changed(before != (self._records.get(key), self._reason(key)))

    def note_error(self, error: str) -> bool:
        """Say what is wrong with the watch, or "" that it is well again; True if that is news."""
        news = error != self._error
        self._error = error
        return self._changed(news)

    def _put(self, item: Object) -> None:
        key = key_of(item)
        try:
            self._records[key] = self._parse(item)
        except Invalid as refusal:
            self._invalid[key] = refusal

    def _reason(self, key: Key) -> tuple[object, str] | None:
        refusal = self._invalid.get(key)
        return (refusal.rejection, refusal.echo) if refusal else None

    def _reasons(self) -> dict[Key, tuple[object, str] | None]:
        return {key: self._reason(key) for key in self._invalid}

    def _changed(self, changed: bool) -> bool:
        if changed:
            self._view = None
        return changed

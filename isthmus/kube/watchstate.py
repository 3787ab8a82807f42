"""How a list and watch goes on after each thing that can happen to it. Pure; `kube.watch` carries it out.

What is known is never thrown away: after a broken watch the next one resumes from the version reached, after
410 (or a long outage, or a silent watch) a new list replaces the old content in one step.
"""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.reconcile.backoff import Backoff

HEALTHY_SECONDS = 5.0
"""A watch that lived this long ends a row of failures; a shorter one may be a server that only pretends."""

RELIST_AFTER = 5
"""Failures in a row after which to list again. The server may have been restored from a backup meanwhile, and
then the version reached would be one of another history."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list succeeded; it shows the state at `version`."""

    version: str


@dataclass(frozen=True, slots=True)
class ListFailed:
    """A list was refused; `retry_after` is the server's own wish in seconds, or 0."""

    retry_after: float = 0.0


@dataclass(frozen=True, slots=True)
class WatchEnded:
    """The server ended a watch in order, after `lived` seconds; everything up to `version` was seen.

    `heard`: something came on it. Where nothing came the kind is quiet, or the server was restored from a
    backup and keeps from us what it believes we know already; only a list tells the two apart.
    """

    version: str
    lived: float
    heard: bool = True


@dataclass(frozen=True, slots=True)
class WatchBroken:
    """A watch was refused or broke; `expired`: its version is no longer kept (410)."""

    version: str
    lived: float
    expired: bool = False
    retry_after: float = 0.0


Event = Listed | ListFailed | WatchEnded | WatchBroken


@dataclass(frozen=True, slots=True)
class ListAll:
    """List, `after` seconds from now."""

    after: float = 0.0


@dataclass(frozen=True, slots=True)
class WatchFrom:
    """Watch from `version`, `after` seconds from now."""

    version: str
    after: float = 0.0


Command = ListAll | WatchFrom


class WatchState:
    """One kind's list and watch. Starts with `ListAll()`; then every event is answered by one command."""

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._failures = 0

    def handle(self, event: Event, random: float) -> Command:
        """Say what to do after *event*; *random* in [0, 1) spreads the delay."""
        match event:
            case Listed(version):
                return WatchFrom(version)
            case ListFailed(retry_after):
                return ListAll(max(self._next_delay(random), retry_after))
            case WatchEnded(version, lived, heard):
                if lived >= HEALTHY_SECONDS:
                    self._failures = 0
                    return WatchFrom(version) if heard else ListAll()
                return WatchFrom(version, self._next_delay(random))
            case WatchBroken():
                return self._recover(event, random)

    def _recover(self, broken: WatchBroken, random: float) -> Command:
        if broken.lived >= HEALTHY_SECONDS:
            self._failures = 0
        first = self._failures == 0
        delay = max(self._next_delay(random), broken.retry_after)
        if broken.expired:
            return ListAll(0.0 if first else delay)
        if self._failures >= RELIST_AFTER:
            return ListAll(delay)
        return WatchFrom(broken.version, delay)

    def _next_delay(self, random: float) -> float:
        delay = self._backoff.delay(self._failures, random)
        self._failures += 1
        return delay

"""Writes what this node reports to its API server: the RouteAgent object, and an Event per refused object.

This runs beside the passes, not within them: an API server that hangs must not delay the repair of a route.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from crds.meta import Rejection
from crds.routeagent import RouteAgentStatus, render_route_agent
from isthmus.kube import writer
from isthmus.kube.api import KubeApi
from isthmus.kube.events import Reporter
from isthmus.kube.resources import ROUTE_AGENTS
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome, PassReport

CONFIRM_INTERVAL = 60.0
"""Seconds after which a status is written again although nothing changed, in case somebody removed it."""


class Desk(Protocol):
    """Where reports are handed in."""

    async def write_status(self, status: RouteAgentStatus) -> bool:
        """Make the RouteAgent object say this; False if it already did."""

    async def announce(self, rejections: Sequence[Rejection]) -> Outcome:
        """See that each refused object has its Event."""


class KubeDesk:
    """The API server's desk for one node."""

    def __init__(self, api: KubeApi, reporter: Reporter, namespace: str, node: str) -> None:
        self._api = api
        self._reporter = reporter
        self._namespace = namespace
        self._node = node

    async def write_status(self, status: RouteAgentStatus) -> bool:
        body = render_route_agent(self._node, self._namespace, status)
        return await writer.ensure(self._api, ROUTE_AGENTS, body) != "unchanged"

    async def announce(self, rejections: Sequence[Rejection]) -> Outcome:
        return await self._reporter.report(rejections)


class Reporting:
    """Remembers what it last said, to stay silent while nothing changes."""

    def __init__(
        self,
        desk: Desk,
        clock: Clock,
        status: Callable[[], RouteAgentStatus],
        rejections: Callable[[], Sequence[Rejection]],
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._status = status
        self._rejections = rejections
        self._said: RouteAgentStatus | None = None
        self._said_at = 0.0

    async def run_pass(self) -> PassReport:
        """Write the present status, unless it was written a short while ago."""
        return PassReport.of([await self._write_status(), await self._desk.announce(self._rejections())])

    async def _write_status(self) -> Outcome:
        status, now = self._status(), self._clock.monotonic()
        if status == self._said and now - self._said_at < CONFIRM_INTERVAL:
            return Outcome("status")
        try:
            written = await self._desk.write_status(status)
        except Transient as error:
            return Outcome("status", failures=(error,))
        self._said, self._said_at = status, now
        return Outcome("status", changed=int(written))

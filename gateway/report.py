"""Tells what this gateway does: writes its Gateway object and Events, and removes those of dead gateways.

This runs beside the passes, not within them, and every few seconds even if nothing changed: the timestamp is
the sign of life by which other gateways, and Submariner's tools, know that we are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from crds.endpoint import sanitised_name
from crds.gateway import Gateway, GatewayStatus, Latency, render_gateway
from gateway.announce import Announced
from gateway.config import Settings
from gateway.drivers import CableDriver, CableState
from gateway.health.ping import Pinger
from gateway.picture import Picture
from gateway.siblings import Siblings
from gateway.status import Report, gateway_status, unknown_endpoint
from isthmus.kube.api import KubeApi
from isthmus.kube.events import Reporter
from isthmus.kube.resources import GATEWAYS
from isthmus.kube.store import Store
from isthmus.kube.writer import ensure, remove
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome, PassReport

STEP = "status"
HEARTBEAT = 5.0
"""Seconds after which the status is written again although it says the same."""

NO_FIGURES = Latency(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a report comes from; `pinger` is None when health checks are off."""

    picture: Callable[[], Picture]
    announced: Callable[[], Announced]
    driver: CableDriver
    pinger: Pinger | None
    gateways: Store[Gateway]


class StatusPass:
    """Runs status passes; `report` is the last one and `written` counts those that reached the API server."""

    def __init__(
        self, settings: Settings, version: str, api: KubeApi, sources: Sources, events: Reporter, clock: Clock
    ) -> None:
        self._settings = settings
        self._api = api
        self._sources = sources
        self._events = events
        self._clock = clock
        self._name = sanitised_name(settings.node)
        self._siblings = Siblings()
        self._said: GatewayStatus | None = None
        self._said_at = float("-inf")
        nameless = unknown_endpoint(settings.cluster_id, settings.node)
        self._blank = Report(version, active=False, local=nameless)
        self.report: Report | None = None
        self.written = 0

    async def run(self) -> PassReport:
        """Report once."""
        picture, announced = self._sources.picture(), self._sources.announced()
        self.report = await self._gather(picture, announced)
        outcomes = [await self._write(gateway_status(self.report))]
        of_broker = (refusal.rejection for refusal in announced.refusals)
        outcomes.append(await self._events.report((*picture.rejections, *of_broker)))
        self._look_around()
        if picture.active:
            outcomes.append(await self._sweep())
        return PassReport.of(outcomes)

    def candidates(self) -> tuple[str, ...]:
        """Other gateways that could lead in our place."""
        return self._siblings.candidates(self._clock.monotonic())

    async def sign_off(self) -> None:
        """Remove our own object: a clean exit leaves no trace of a gateway that is not there."""
        await remove(self._api, GATEWAYS, self._settings.namespace, self._name)

    async def _gather(self, picture: Picture, announced: Announced) -> Report:
        states, trouble = await self._states(picture)
        pinger = self._sources.pinger
        return replace(
            self._blank,
            active=picture.active,
            local=picture.plan.spec if picture.plan else self._blank.local,
            cables=picture.cables,
            states=states,
            driver_trouble=trouble,
            refusals=picture.refusals + announced.refusals,
            health=pinger.health() if pinger else {},
            troubles=picture.troubles + announced.troubles,
        )

    async def _states(self, picture: Picture) -> tuple[Mapping[str, CableState] | None, str]:
        if not picture.active:
            return {}, picture.survey.driver_trouble
        try:
            return await self._sources.driver.states(), picture.survey.driver_trouble
        except Transient as failure:
            return None, str(failure)

    async def _write(self, status: GatewayStatus) -> Outcome:
        now, news = self._clock.monotonic(), _without_figures(status)
        is_news = news != self._said
        if not is_news and now - self._said_at < HEARTBEAT:
            return Outcome(STEP)
        body = render_gateway(
            self._name, self._settings.namespace, status, int(self._clock.now().timestamp())
        )
        try:
            await ensure(self._api, GATEWAYS, body)
        except Transient as failure:
            return Outcome(STEP, failures=(failure,))
        self._said, self._said_at = news, now
        self.written += 1
        # A mere sign of life is no change of the world, and would fill the log with a line every few seconds.
        return Outcome(STEP, changed=int(is_news))

    def _look_around(self) -> None:
        view = self._sources.gateways.view()
        if view.error:
            # Nobody can be seen now, and when that is over everybody gets the full time to show up again.
            self._siblings = Siblings()
        elif view.synced:
            now = self._clock.monotonic()
            self._siblings = self._siblings.after(view.records.values(), self._name, now)

    async def _sweep(self) -> Outcome:
        removed = 0
        try:
            for name in self._siblings.stale(self._clock.monotonic()):
                removed += await remove(self._api, GATEWAYS, self._settings.namespace, name)
        except Transient as failure:
            return Outcome("stale gateways", removed=removed, failures=(failure,))
        return Outcome("stale gateways", removed=removed)


def _without_figures(status: GatewayStatus) -> GatewayStatus:
    """The status without round-trip times, which differ at every look; only whether there are any counts."""
    connections = tuple(
        replace(connection, latency=NO_FIGURES if connection.latency else None)
        for connection in status.connections
    )
    return replace(status, connections=connections)

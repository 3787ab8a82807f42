"""Is this daemon alive, is it ready, and its metrics: /healthz, /readyz and /metrics over HTTP.

Ready means: every watched kind was read once, and the last pass left nothing undone. Alive means: passes
still run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from isthmus.reconcile.clock import Clock
from isthmus.reconcile.outcome import PassReport

log = structlog.get_logger()

STALE_SECONDS = 180.0
"""Several resync intervals: a loop without a pass for so long hangs."""

LISTEN_RETRY_SECONDS = 10.0


class Health:
    """What the loop's passes say about the daemon; `observe` is for `Loop`.

    *waiting_for* names the kinds that were never read in full yet.
    """

    def __init__(
        self, clock: Clock, waiting_for: Callable[[], Sequence[str]], registry: CollectorRegistry
    ) -> None:
        self._clock = clock
        self._waiting_for = waiting_for
        self._last_pass = clock.monotonic()
        self._last: PassReport | None = None
        self.registry = registry
        self._passes = Counter("isthmus_passes", "Passes run", registry=registry)
        self._failures = Counter("isthmus_pass_failures", "Failures by step", ["step"], registry=registry)
        self._writes = Counter("isthmus_writes", "Changes made by step", ["step"], registry=registry)
        self._seconds = Histogram("isthmus_pass_seconds", "Duration of a pass", registry=registry)
        self._success = Gauge(
            "isthmus_last_success_timestamp_seconds",
            "When a pass last left nothing undone",
            registry=registry,
        )

    def observe(self, report: PassReport, seconds: float) -> None:
        """Take note of one pass."""
        self._last = report
        self._last_pass = self._clock.monotonic()
        self._passes.inc()
        self._seconds.observe(seconds)
        for outcome in report.outcomes:
            self._writes.labels(outcome.step).inc(outcome.writes)
            self._failures.labels(outcome.step).inc(len(outcome.failures))
        if not report.failures:
            self._success.set(self._clock.now().timestamp())

    def unreadiness(self) -> str:
        """Why the daemon is not ready; "" if it is."""
        if waiting := self._waiting_for():
            return f"not read yet: {', '.join(waiting)}"
        if self._last is None:
            return "no pass has run yet"
        if self._last.failures:
            step, error = self._last.failures[0]
            more = len(self._last.failures) - 1
            return f"the last pass failed: {step}: {error}" + (f" (and {more} more)" if more else "")
        return ""

    def illness(self) -> str:
        """Why the process should be started anew; "" if it is well."""
        silent = self._clock.monotonic() - self._last_pass
        return f"no pass has ended for {silent:.0f} s" if silent > STALE_SECONDS else ""


async def serve(health: Health, hosts: Sequence[str], port: int, clock: Clock) -> None:
    """Answer on each of *hosts* for ever. A taken port is tried again; it must not stop the daemon's work."""
    runner = web.AppRunner(health_app(health), access_log=None)
    await runner.setup()
    try:
        for host in hosts:
            await _listen(runner, host, port, clock)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int, clock: Clock) -> None:
    while True:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            log.warning("cannot_listen", address=f"{host}:{port}", error=error.strerror or str(error))
            await site.stop()
            await clock.sleep(LISTEN_RETRY_SECONDS)
        else:
            return


def health_app(health: Health) -> web.Application:
    """The three pages."""

    async def answer_alive(_request: web.Request) -> web.Response:
        return _answer(health.illness())

    async def answer_ready(_request: web.Request) -> web.Response:
        return _answer(health.unreadiness())

    async def answer_metrics(_request: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(health.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    app = web.Application()
    app.router.add_get("/healthz", answer_alive)
    app.router.add_get("/readyz", answer_ready)
    app.router.add_get("/metrics", answer_metrics)
    return app


def _answer(trouble: str) -> web.Response:
    return web.Response(text=(trouble or "ok") + "\n", status=503 if trouble else 200)

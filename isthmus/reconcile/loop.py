"""When to run a pass: the one place that retries.

Kicks are coalesced, passes keep a minimum distance, a failed pass is tried again with growing delays, and
without any reason at all a pass runs every `resync` seconds, which heals what drifted unseen. Nothing is ever
given up.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from isthmus.reconcile.backoff import Backoff
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.outcome import PassReport
from isthmus.reconcile.wait import event_within

log = structlog.get_logger()

ERRORS_SHOWN = 10
"""Errors of one pass that are spelt out in its line; a thousand failed routes mostly share one cause."""


@dataclass(frozen=True, slots=True)
class LoopTiming:
    """Seconds: least distance of two passes, longest time without one, and the bounds of the retry delay."""

    minimum_interval: float = 0.05
    resync: float = 30.0
    retry_minimum: float = 0.2
    retry_maximum: float = 30.0


class Loop:
    """Runs passes for ever, one at a time.

    A pass says in its `PassReport` what it could not do; an exception out of it is a bug and ends the loop.
    *observe* gets every report and the seconds that its pass took.
    """

    def __init__(
        self,
        run_pass: Callable[[], Awaitable[PassReport]],
        clock: Clock,
        timing: LoopTiming,
        observe: Callable[[PassReport, float], None],
    ) -> None:
        self._run_pass = run_pass
        self._clock = clock
        self._timing = timing
        self._observe = observe
        self._kicked = asyncio.Event()

    def kick(self) -> None:
        """Ask for a pass soon; any number of kicks before it begins are one. For the loop's own thread."""
        self._kicked.set()

    async def run(self) -> None:
        """Run passes until cancelled, the first one at once."""
        backoff = Backoff(self._timing.retry_minimum, self._timing.retry_maximum)
        failures = 0
        while True:
            # Cleared before the pass: a change that comes while it reads the world needs another pass.
            self._kicked.clear()
            began = self._clock.monotonic()
            report = await self._run_pass()
            took = self._clock.monotonic() - began
            failures = failures + 1 if report.failures else 0
            log_pass(report, took)
            self._observe(report, took)
            longest = self._timing.resync
            if failures:
                longest = min(longest, backoff.delay(failures - 1, random.random()))
            await self._clock.sleep(self._timing.minimum_interval)
            await event_within(self._kicked, longest - self._timing.minimum_interval, self._clock)


def log_pass(report: PassReport, seconds: float) -> None:
    """Write the one line of a pass: WARNING if something failed, INFO if the world changed, else DEBUG."""
    fields: dict[str, object] = {
        "added": sum(outcome.added for outcome in report.outcomes),
        "changed": sum(outcome.changed for outcome in report.outcomes),
        "removed": sum(outcome.removed for outcome in report.outcomes),
        "failed": len(report.failures),
        "ms": round(seconds * 1000, 1),
    }
    if report.failures:
        errors = [f"{step}: {error}" for step, error in report.failures[:ERRORS_SHOWN]]
        log.warning("pass_failed", **fields, errors=errors)
    elif report.writes:
        steps = {outcome.step: outcome.writes for outcome in report.outcomes if outcome.writes}
        log.info("pass_changed", **fields, steps=steps)
    else:
        log.debug("pass_unchanged", **fields)

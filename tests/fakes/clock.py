"""Virtual time: nothing passes until a test says so."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta

SETTLE_ROUNDS = 50
"""Turns of the event loop in which everything that can run without time passing has run."""


async def settle() -> None:
    """Let every task run until it waits for something that only time or the test can bring."""
    for _ in range(SETTLE_ROUNDS):
        await asyncio.sleep(0)


class FakeClock:
    """A `Clock` moved by `advance`; sleepers wake in the order of their times."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = 0

    def monotonic(self) -> float:
        return self._elapsed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._order += 1
        heapq.heappush(self._sleepers, (self._elapsed + seconds, self._order, waking))
        await waking

    @property
    def next_wake(self) -> float | None:
        """Seconds from now until the first sleeper wakes; None when nobody sleeps."""
        self._drop_cancelled()
        return self._sleepers[0][0] - self._elapsed if self._sleepers else None

    async def advance(self, seconds: float) -> None:
        """Let *seconds* pass, waking every sleeper at its time, and settle after each."""
        await settle()
        end = self._elapsed + seconds
        while (wait := self.next_wake) is not None and self._elapsed + wait <= end:
            wake_time, _, waking = heapq.heappop(self._sleepers)
            self._elapsed = wake_time
            waking.set_result(None)
            await settle()
        self._elapsed = end
        await settle()

    def _drop_cancelled(self) -> None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)

"""A daemon's life from start to exit code.

SIGTERM and SIGINT cancel the daemon, whose clean-up then runs, and the exit code is 0. `Fatal` is one line
and 2. `Transient` never ends it: the daemon is started again with backoff. Anything else is a bug: a
traceback and 1, and whoever supervises the process starts it anew.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from isthmus.reconcile.backoff import Backoff
from isthmus.reconcile.clock import Clock, SystemClock
from isthmus.reconcile.errors import Fatal, Transient

log = structlog.get_logger()

E = TypeVar("E", bound=BaseException)
Main = Callable[[], Awaitable[None]]

BACKOFF = Backoff(minimum=0.5, maximum=30.0)
HEALTHY_SECONDS = 60.0
"""A daemon that ran this long begins its next row of failures with the shortest delay."""

GRACE_SECONDS = 15.0
"""How long the clean-up after a signal may take; half of what a kubelet grants before SIGKILL."""

EXIT_FATAL = 2


def run(main: Main) -> int:
    """Run a daemon until it returns or is stopped by a signal, and return the process's exit code.

    *main* is called again if it fails with a `Transient`, so it builds its boundaries itself.
    """
    return asyncio.run(_run(main))


async def _run(main: Main) -> int:
    fatal: Fatal | None = None
    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(keep_running(main, SystemClock()))
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, _stop, running, number)
    except* Fatal as faults:
        fatal = _first(faults)
    if fatal is None:
        return 0
    log.error("cannot_run", reason=str(fatal))
    return EXIT_FATAL


def _stop(running: asyncio.Task[None], number: signal.Signals) -> None:
    log.info("stopping", signal=number.name)
    running.cancel()
    # A clean-up that hangs on something far away is interrupted where it waits.
    asyncio.get_running_loop().call_later(GRACE_SECONDS, running.cancel)


async def keep_running(main: Main, clock: Clock) -> None:
    """Run *main* until it returns; again and again while what it fails with is only `Transient`."""
    failures = 0
    while True:
        began = clock.monotonic()
        refusal: Transient | None = None
        try:
            await main()
            return
        except* Transient as refusals:
            refusal = _first(refusals)
        if _is_stopping():
            log.warning("clean_up_failed", error=str(refusal))
            return
        failures = 0 if clock.monotonic() - began >= HEALTHY_SECONDS else failures + 1
        delay = BACKOFF.delay(max(failures - 1, 0), random.random())
        log.warning("start_failed", error=str(refusal), retry_seconds=round(delay, 1))
        await clock.sleep(delay)


def _is_stopping() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def endless(name: str, running: Awaitable[None]) -> None:
    """Await what must never return; for a daemon's TaskGroup, where a silent end would go unnoticed."""
    await running
    raise RuntimeError(f"{name} ended, although it must run as long as the daemon")


def _first(group: BaseExceptionGroup[E]) -> E:
    """The first exception of a group, however deeply task groups have wrapped it."""
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found

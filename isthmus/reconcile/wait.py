"""Waiting for whichever comes first, an event or a moment: what a loop does between two passes."""

from __future__ import annotations

import asyncio

from isthmus.reconcile.clock import Clock


async def event_within(event: asyncio.Event, seconds: float, clock: Clock) -> bool:
    """Return True as soon as *event* is set, or False when *seconds* have passed on *clock*."""
    if event.is_set():
        return True
    async with asyncio.TaskGroup() as group:
        setting = group.create_task(event.wait())
        sleeping = group.create_task(clock.sleep(seconds))
        await asyncio.wait((setting, sleeping), return_when=asyncio.FIRST_COMPLETED)
        setting.cancel()
        sleeping.cancel()
    return event.is_set()

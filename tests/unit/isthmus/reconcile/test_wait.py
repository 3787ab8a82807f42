import asyncio

from isthmus.reconcile.wait import event_within
from tests.fakes.clock import FakeClock, settle


async def test_an_event_that_is_set_needs_no_waiting():
    event = asyncio.Event()
    event.set()

    assert await event_within(event, 10, FakeClock())


async def test_the_event_ends_the_waiting():
    event, clock = asyncio.Event(), FakeClock()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(event_within(event, 10, clock))
        await settle()

        event.set()

    assert waiting.result() is True
    assert clock.next_wake is None


async def test_the_time_ends_the_waiting():
    event, clock = asyncio.Event(), FakeClock()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(event_within(event, 10, clock))

        await clock.advance(9.9)
        assert not waiting.done()
        await clock.advance(0.1)

    assert waiting.result() is False


async def test_cancelling_the_waiting_leaves_no_sleeper_behind():
    event, clock = asyncio.Event(), FakeClock()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(event_within(event, 10, clock))
        await settle()

        waiting.cancel()

    assert clock.next_wake is None

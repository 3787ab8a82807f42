"""The loop in virtual time: when passes run, and what they leave in the log."""

import asyncio
import itertools
from contextlib import asynccontextmanager

import pytest
import structlog

from isthmus.reconcile.errors import Transient
from isthmus.reconcile.loop import Loop, LoopTiming
from isthmus.reconcile.outcome import Outcome, PassReport
from tests.fakes.clock import FakeClock, settle

CLEAN = PassReport.of([Outcome("routes")])
FAILED = PassReport.of([Outcome("routes", failures=(Transient("the lock is held"),))])


class Passes:
    """A `run_pass` that records when it ran; `answer` is what it reports."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.times: list[float] = []
        self.answer = CLEAN
        self.duration = 0.0
        self.observed: list[tuple[PassReport, float]] = []

    async def run(self) -> PassReport:
        self.times.append(round(self.clock.monotonic(), 3))
        if self.duration:
            await self.clock.sleep(self.duration)
        return self.answer

    def observe(self, report: PassReport, seconds: float) -> None:
        self.observed.append((report, round(seconds, 3)))


@asynccontextmanager
async def running(minimum_interval: float = 0.05):
    clock = FakeClock()
    passes = Passes(clock)
    loop = Loop(passes.run, clock, LoopTiming(minimum_interval), passes.observe)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(loop.run())
        await settle()
        yield clock, passes, loop
        task.cancel()


async def test_the_first_pass_runs_at_once():
    async with running() as (_, passes, _):
        assert passes.times == [0.0]


async def test_without_any_reason_a_pass_runs_every_resync_interval():
    async with running() as (clock, passes, _):
        await clock.advance(95)

        assert passes.times == [0, 30, 60, 90]


async def test_a_kick_runs_a_pass_at_once_when_the_last_one_is_long_ago():
    async with running() as (clock, passes, loop):
        await clock.advance(10)
        loop.kick()
        await settle()

        assert passes.times == [0, 10]


async def test_many_kicks_are_one_pass():
    async with running() as (clock, passes, loop):
        await clock.advance(10)
        for _ in range(100):
            loop.kick()
        await clock.advance(5)

        assert passes.times == [0, 10]


async def test_kicks_run_passes_no_faster_than_the_minimum_interval():
    async with running(minimum_interval=0.5) as (clock, passes, loop):
        for _ in range(20):
            loop.kick()
            await clock.advance(0.1)

        assert passes.times == [0, 0.5, 1.0, 1.5, 2.0]


async def test_a_kick_during_a_pass_asks_for_another_one():
    async with running() as (clock, passes, loop):
        passes.duration = 1.0
        loop.kick()
        await clock.advance(0.5)
        loop.kick()
        await clock.advance(5)

        assert passes.times == [0, 0.05, 1.1]


async def test_a_resync_counts_from_the_last_pass():
    async with running() as (clock, passes, loop):
        await clock.advance(20)
        loop.kick()
        await clock.advance(29)
        assert passes.times == [0, 20]
        await clock.advance(2)

        assert passes.times == [0, 20, 50]


async def test_a_failed_pass_is_tried_again_with_growing_delays_and_for_ever():
    async with running() as (clock, passes, loop):
        passes.answer = FAILED
        loop.kick()
        await clock.advance(3600)

        gaps = [later - earlier for earlier, later in itertools.pairwise(passes.times[1:])]
        assert 0.1 <= gaps[0] <= 0.2
        assert 0.8 <= gaps[3] <= 1.6
        assert all(15 <= gap <= 30 for gap in gaps[10:])
        assert len(gaps) > 120


async def test_a_clean_pass_ends_the_row_of_failures():
    async with running() as (clock, passes, loop):
        passes.answer = FAILED
        loop.kick()
        await clock.advance(600)
        passes.answer = CLEAN
        await clock.advance(30)
        passes.answer = FAILED
        loop.kick()
        await settle()
        begin = len(passes.times)
        await clock.advance(0.3)

        assert len(passes.times) > begin


async def test_a_kick_wakes_a_loop_that_waits_after_a_failure():
    async with running() as (clock, passes, loop):
        passes.answer = FAILED
        loop.kick()
        await clock.advance(300)
        count = len(passes.times)
        loop.kick()
        await clock.advance(0.05)

        assert len(passes.times) == count + 1


async def test_every_pass_is_observed_with_its_duration():
    async with running() as (clock, passes, loop):
        passes.duration, passes.answer = 2.0, FAILED
        loop.kick()
        await clock.advance(3)

        assert passes.observed[:2] == [(CLEAN, 0.0), (FAILED, 2.0)]


async def test_an_exception_out_of_a_pass_ends_the_loop():
    async def broken() -> PassReport:
        raise ZeroDivisionError

    loop = Loop(broken, FakeClock(), LoopTiming(), lambda report, seconds: None)

    with pytest.raises(ZeroDivisionError):
        await loop.run()


async def test_a_pass_that_changed_something_is_one_line_with_its_counts():
    with structlog.testing.capture_logs() as lines:
        async with running() as (clock, passes, loop):
            passes.answer = PassReport.of([Outcome("routes", added=2, removed=1), Outcome("rules")])
            loop.kick()
            await clock.advance(1)

    (line,) = [line for line in lines if line["event"] == "pass_changed"]
    assert line["log_level"] == "info"
    assert (line["added"], line["changed"], line["removed"]) == (2, 0, 1)
    assert line["steps"] == {"routes": 3}


async def test_a_pass_that_failed_names_the_errors_but_not_thousands():
    many = tuple(Transient(f"route {number} refused") for number in range(1000))
    with structlog.testing.capture_logs() as lines:
        async with running() as (clock, passes, loop):
            passes.answer = PassReport.of([Outcome("routes", failures=many)])
            loop.kick()
            await clock.advance(0.1)

    (line,) = [line for line in lines if line["event"] == "pass_failed"]
    assert line["log_level"] == "warning"
    assert line["failed"] == 1000
    assert line["errors"][0] == "routes: route 0 refused"
    assert len(line["errors"]) == 10


async def test_a_pass_without_changes_is_said_only_to_a_debugger():
    with structlog.testing.capture_logs() as lines:
        async with running():
            pass

    assert [(line["event"], line["log_level"]) for line in lines] == [("pass_unchanged", "debug")]

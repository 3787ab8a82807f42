"""A daemon's life: exit codes and signals of a real process, restarts in virtual time."""

import asyncio
import itertools
import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from isthmus.reconcile.errors import Fatal, Transient
from isthmus.reconcile.service import endless, keep_running
from tests.fakes.clock import FakeClock, settle

ROOT = Path(__file__).parents[4]


async def start(program: str) -> asyncio.subprocess.Process:
    """Start a process that runs *program*, which defines `main`, under the service."""
    source = textwrap.dedent(program) + textwrap.dedent("""
        import sys
        from isthmus.reconcile.service import run
        sys.exit(run(main))
    """)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        source,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def output_of(program: str) -> tuple[int, str]:
    process = await start(program)
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_a_daemon_that_returns_exits_with_0():
    assert await output_of("""
        async def main():
            print("done")
    """) == (0, "done\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_the_daemon_clean_up_and_exits_with_0(number):
    process = await start("""
        import asyncio
        async def main():
            try:
                print("ready", flush=True)
                await asyncio.sleep(1000)
            finally:
                await asyncio.sleep(0.01)
                print("cleaned up", flush=True)
    """)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"

    process.send_signal(number)
    output, _ = await process.communicate()

    assert process.returncode == 0
    assert "cleaned up" in output.decode()


async def test_a_signal_ends_the_daemon_although_its_clean_up_is_refused():
    process = await start("""
        import asyncio
        from isthmus.reconcile.errors import Transient
        async def main():
            try:
                print("ready", flush=True)
                await asyncio.sleep(1000)
            finally:
                raise Transient("the API server is away")
    """)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"

    process.send_signal(signal.SIGTERM)
    output, _ = await process.communicate()

    assert process.returncode == 0
    assert "the API server is away" in output.decode()


async def test_a_fatal_condition_is_one_line_and_exits_with_2():
    code, output = await output_of("""
        import asyncio
        from isthmus.reconcile.errors import Fatal
        async def fail():
            raise Fatal("run this as root")
        async def main():
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
    """)

    assert code == 2
    assert "run this as root" in output
    assert "Traceback" not in output
    assert len(output.splitlines()) == 1


async def test_a_bug_is_a_traceback_and_exits_with_1():
    code, output = await output_of("""
        async def main():
            {}["missing"]
    """)

    assert code == 1
    assert "Traceback" in output
    assert "KeyError: 'missing'" in output


class Daemon:
    """A `main` that fails with each of *faults* in turn, then waits for ever."""

    def __init__(self, clock: FakeClock, faults: list[Exception]) -> None:
        self.clock = clock
        self.faults = faults
        self.starts: list[float] = []

    async def main(self) -> None:
        self.starts.append(self.clock.monotonic())
        if not self.faults:
            await asyncio.Event().wait()
        await self.clock.sleep(1)
        raise self.faults.pop(0)


async def starts_of(*faults: Exception) -> list[float]:
    """When such a daemon was started within ten minutes; what ended it for good is raised."""
    clock = FakeClock()
    daemon = Daemon(clock, list(faults))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(keep_running(daemon.main, clock))
        await clock.advance(600)
        running.cancel()
    return daemon.starts


async def test_a_transient_failure_starts_the_daemon_again_with_growing_delays():
    starts = await starts_of(*[Transient("away")] * 5)

    waits = [later - earlier - 1 for earlier, later in itertools.pairwise(starts)]
    assert len(starts) == 6
    assert waits[0] == 0.5
    assert 4 <= waits[4] <= 8


async def test_transient_failures_of_several_tasks_start_the_daemon_again():
    nested = ExceptionGroup("tasks", [Transient("a"), ExceptionGroup("more", [Transient("b")])])

    assert len(await starts_of(nested)) == 2


async def test_a_bug_beside_a_transient_failure_ends_the_daemon():
    with pytest.raises(ExceptionGroup) as caught:
        await starts_of(ExceptionGroup("tasks", [Transient("away"), KeyError("bug")]), Transient("again"))

    assert caught.group_contains(KeyError)


async def test_a_fatal_condition_ends_the_daemon():
    with pytest.raises(ExceptionGroup) as caught:
        await starts_of(Fatal("no root"))

    assert caught.group_contains(Fatal)


async def test_a_task_that_must_not_end_says_which_it_was():
    async def short() -> None:
        await settle()

    with pytest.raises(RuntimeError, match="the watch of Endpoints ended"):
        await endless("the watch of Endpoints", short())

"""The supervisor with real, tiny programs; time is passed in, so nothing waits for a restart delay."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from isthmus.lab import process
from isthmus.lab.supervisor import RESTART_SECONDS, STOP_SECONDS, Supervisor, Unit, parse_unit


@pytest.fixture
def directory(tmp_path):
    """A node's directory; whatever its report names is ended afterwards."""
    (tmp_path / "units").mkdir()
    yield tmp_path
    process.kill_all([each["pid"] for each in report(tmp_path).values() if each["pid"]])


def write(directory: Path, name: str, *argv: str) -> Unit:
    unit = Unit(argv, str(directory / f"{name}.log"), {"NAME": name})
    (directory / "units" / f"{name}.json").write_text(unit.text())
    return unit


def report(directory: Path) -> dict[str, dict[str, int]]:
    path = directory / "running.json"
    return json.loads(path.read_text()) if path.exists() else {}


def wait_ended(pid: int) -> None:
    """Return when *pid* has ended, leaving its status for the supervisor to collect."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_a_unit_comes_back_from_its_own_text():
    unit = Unit(("sleep", "9"), "/log/it.log", {"A": "b"})

    assert parse_unit(unit.text()) == unit


def test_a_wanted_unit_runs_with_its_environment_and_log(directory):
    write(directory, "web", "sh", "-c", "echo $NAME; exec sleep 1000")

    Supervisor(directory).tick(0)

    running = report(directory)["web"]
    assert running["starts"] == 1
    deadline = time.monotonic() + 10
    while (directory / "web.log").read_text() != "web\n" and time.monotonic() < deadline:
        os.sched_yield()
    assert (directory / "web.log").read_text() == "web\n"
    assert process.alive(running["pid"])


def test_a_unit_that_runs_is_left_alone(directory):
    write(directory, "web", "sleep", "1000")
    supervisor = Supervisor(directory)

    supervisor.tick(0)
    first = report(directory)
    supervisor.tick(100)

    assert report(directory) == first


def test_a_unit_that_ended_is_started_again_after_the_delay_and_not_before(directory):
    write(directory, "web", "sleep", "1000")
    supervisor = Supervisor(directory)
    supervisor.tick(0)
    pid = report(directory)["web"]["pid"]
    os.kill(pid, 9)
    wait_ended(pid)

    supervisor.tick(10)
    supervisor.tick(10 + RESTART_SECONDS / 2)
    assert report(directory)["web"] == {"pid": 0, "starts": 1}
    supervisor.tick(10 + RESTART_SECONDS)

    assert report(directory)["web"]["starts"] == 2
    assert report(directory)["web"]["pid"] not in (0, pid)


def test_a_removed_unit_is_ended_and_forgotten(directory):
    write(directory, "web", "sleep", "1000")
    supervisor = Supervisor(directory)
    supervisor.tick(0)
    pid = report(directory)["web"]["pid"]

    (directory / "units" / "web.json").unlink()
    supervisor.tick(1)
    wait_ended(pid)
    supervisor.tick(2)

    assert report(directory) == {}


def test_a_unit_that_ignores_the_request_is_killed_in_the_end(directory):
    write(directory, "web", "sh", "-c", "trap '' TERM; echo deaf; exec sleep 1000")
    supervisor = Supervisor(directory)
    supervisor.tick(0)
    pid = report(directory)["web"]["pid"]
    deadline = time.monotonic() + 10
    while not (directory / "web.log").read_text() and time.monotonic() < deadline:
        os.sched_yield()

    (directory / "units" / "web.json").unlink()
    supervisor.tick(1)
    assert process.alive(pid)
    supervisor.tick(1 + STOP_SECONDS + 1)
    wait_ended(pid)
    supervisor.tick(30)

    assert report(directory) == {}


def test_a_changed_unit_is_replaced_by_the_new_one(directory):
    write(directory, "web", "sleep", "1000")
    supervisor = Supervisor(directory)
    supervisor.tick(0)
    before = report(directory)["web"]["pid"]

    write(directory, "web", "sleep", "2000")
    supervisor.tick(1)
    wait_ended(before)
    supervisor.tick(2)

    after = report(directory)["web"]["pid"]
    # Set-up of the new program goes on for a moment after its process is there; until then the line is empty.
    deadline = time.monotonic() + 10
    while not (words := Path(f"/proc/{after}/cmdline").read_bytes()) and time.monotonic() < deadline:
        os.sched_yield()
    assert words == b"sleep\x002000\x00"


def test_a_unit_that_is_wanted_again_while_it_ends_starts_anew(directory):
    unit = write(directory, "web", "sleep", "1000")
    supervisor = Supervisor(directory)
    supervisor.tick(0)
    before = report(directory)["web"]["pid"]
    path = directory / "units" / "web.json"

    path.unlink()
    supervisor.tick(1)
    path.write_text(unit.text())
    wait_ended(before)
    supervisor.tick(2)
    supervisor.tick(2 + RESTART_SECONDS)

    assert report(directory)["web"]["pid"] not in (0, before)


def test_a_program_that_is_missing_does_not_stop_the_others(directory):
    write(directory, "a-missing", "no-such-program-here")
    write(directory, "web", "sleep", "1000")
    supervisor = Supervisor(directory)

    supervisor.tick(0)
    supervisor.tick(RESTART_SECONDS)

    assert report(directory)["web"]["pid"]
    assert report(directory)["a-missing"]["pid"] == 0
    assert "no-such-program-here" in (directory / "a-missing.log").read_text()


def test_everything_ends_when_the_node_ends(directory):
    write(directory, "web", "sleep", "1000")
    write(directory, "echo", "sleep", "1000")
    supervisor = Supervisor(directory)
    supervisor.tick(0)
    pids = [each["pid"] for each in report(directory).values()]

    supervisor.stop_all()

    assert not any(process.alive(pid) for pid in pids)

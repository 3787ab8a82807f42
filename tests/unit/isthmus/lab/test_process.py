from __future__ import annotations

import os
import sys
import time

import pytest

from isthmus.lab import process


def started(tmp_path, code: str) -> int:
    return process.spawn(
        [sys.executable, "-c", code], log=tmp_path / "log" / "it.log", env={"COLOUR": "blue"}
    )


def wait_for(condition) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        os.sched_yield()
    return bool(condition())


def test_a_program_s_words_and_status_come_back():
    done = process.run(["sh", "-c", "cat; echo bad >&2; exit 3"], stdin="hello")

    assert (done.status, done.stdout, done.stderr, done.ok) == (3, "hello", "bad\n", False)


def test_a_missing_program_is_named_instead_of_raised():
    done = process.run(["no-such-program-here"])

    assert done.status == 127
    assert "no-such-program-here: no such program" in done.stderr


def test_a_program_that_takes_too_long_ends_with_124():
    done = process.run([sys.executable, "-c", "print('so far', flush=True); input()"], stdin=None, timeout=20)
    slow = process.run(["sleep", "60"], timeout=0.05)

    assert done.stdout == "so far\n"
    assert (slow.status, slow.stderr) == (124, "took more than 0.05 s")


def test_check_returns_the_output_or_raises_what_was_said():
    assert process.check(["echo", "fine"]) == "fine\n"

    with pytest.raises(process.ProgramFailed, match=r"`sh -c .*` ended with status 2: broken"):
        process.check(["sh", "-c", "echo broken >&2; exit 2"])


def test_a_spawned_program_logs_in_a_session_of_its_own_until_it_is_killed(tmp_path):
    pid = started(tmp_path, "import os; print(os.environ['COLOUR'], flush=True); os.read(os.pipe()[0], 1)")
    log = tmp_path / "log" / "it.log"

    assert wait_for(lambda: log.exists() and log.read_text() == "blue\n")
    assert os.getsid(pid) == pid
    assert process.alive(pid)
    process.kill_all([pid])
    assert not process.alive(pid)


def test_killing_what_is_gone_is_fine(tmp_path):
    pid = started(tmp_path, "pass")
    assert wait_for(lambda: not process.alive(pid))

    process.kill_all([pid])


def test_attach_gives_the_status_of_the_program():
    assert process.attach(["sh", "-c", "exit 7"]) == 7

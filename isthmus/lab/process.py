"""Run programs for the lab: short ones to their end, long ones detached, to outlive the `lab` command.

The only module of the lab that starts processes. What outlives us is found again by `state.py`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from isthmus.reconcile.errors import Transient


@dataclass(frozen=True, slots=True)
class Completed:
    """How a short program ended."""

    argv: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        return self.status == 0


class ProgramFailed(Transient):
    """A program that the lab relies on ended with an error; says which, and what it printed."""

    def __init__(self, completed: Completed) -> None:
        said = (completed.stderr.strip() or completed.stdout.strip())[-600:]
        super().__init__(f"`{' '.join(completed.argv)}` ended with status {completed.status}: {said}")
        self.completed = completed


def run(
    argv: Sequence[str],
    *,
    stdin: str | None = None,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Completed:
    """Run *argv* to its end and return what it said; status 124 if it took more than *timeout* seconds."""
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=None if env is None else {**os.environ, **env},
            cwd=cwd,
            check=False,
        )
    except FileNotFoundError as error:
        return Completed(tuple(argv), 127, "", f"{error.filename}: no such program; install it")
    except subprocess.TimeoutExpired as expired:
        said = expired.stdout.decode(errors="replace") if isinstance(expired.stdout, bytes) else ""
        return Completed(tuple(argv), 124, said, f"took more than {timeout:g} s")
    return Completed(tuple(argv), done.returncode, done.stdout, done.stderr)


def check(argv: Sequence[str], *, stdin: str | None = None, timeout: float = 60) -> str:
    """Run *argv* and return its output; raise `ProgramFailed` unless it succeeded."""
    completed = run(argv, stdin=stdin, timeout=timeout)
    if not completed.ok:
        raise ProgramFailed(completed)
    return completed.stdout


def spawn(argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> int:
    """Start *argv* in a session of its own, its output appended to *log*; return its process id.

    It belongs to the lab, not to this command: init inherits it when we end.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    # Not Popen: that collects forgotten children whenever the next one starts, behind the supervisor's back.
    return os.posix_spawnp(
        argv[0],
        list(argv),
        {**os.environ, **(env or {})},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        # What Popen does: Python ignores these two, and the ignoring would be inherited.
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
    )


def attach(argv: Sequence[str]) -> int:
    """Run *argv* on the caller's terminal and return its exit status."""
    return subprocess.run(list(argv), check=False).returncode


def kill_all(pids: Sequence[int], *, patience: float = 5) -> None:
    """End every process in *pids*, at once and for good, and wait until they are gone."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + patience
    remaining = list(pids)
    while remaining and time.monotonic() < deadline:
        remaining = [pid for pid in remaining if alive(pid)]
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether *pid* still runs; a zombie of ours is collected and counts as gone."""
    with suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False

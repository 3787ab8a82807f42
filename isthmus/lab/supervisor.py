"""Process 1 of a lab node: starts the node's units and restarts what ends, as a kubelet restarts containers.

Run as `python -m isthmus.lab.supervisor NODE_DIRECTORY HOSTNAME` inside new mount, UTS and PID namespaces.
Units are files `NODE_DIRECTORY/units/<name>.json`; what runs is told in `NODE_DIRECTORY/running.json`.
The end of this process ends everything on the node.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from isthmus.lab import process

TICK_SECONDS = 0.1
RESTART_SECONDS = 0.2
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Unit:
    """One long-running program of a node. `log` is a path as the node sees it."""

    argv: tuple[str, ...]
    log: str
    env: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def parse_unit(text: str) -> Unit:
    """The reverse of `Unit.text`."""
    raw = json.loads(text)
    return Unit(tuple(raw["argv"]), raw["log"], dict(raw["env"]))


@dataclass(slots=True)
class Running:
    """A unit's process; `due` is when it may start again, `stopping` since when it was told to end."""

    unit: Unit
    pid: int = 0
    starts: int = 0
    due: float = 0.0
    stopping: float | None = None


class Supervisor:
    """Keeps the processes of a node equal to its unit files."""

    def __init__(self, directory: Path) -> None:
        self._units = directory / "units"
        self._report = directory / "running.json"
        self._running: dict[str, Running] = {}
        self._reported = ""

    def tick(self, now: float) -> None:
        """Collect what ended, end what is no longer wanted, start what is."""
        self._collect(now)
        wanted = self._wanted()
        for name, running in list(self._running.items()):
            # What was told to end must end, even if it is wanted again by now.
            if wanted.get(name) != running.unit or running.stopping is not None:
                self._stop(name, running, now)
        for name, unit in wanted.items():
            running = self._running.setdefault(name, Running(unit))
            if not running.pid and now >= running.due and running.stopping is None:
                _start(running, now)
        self._tell()

    def stop_all(self) -> None:
        """End every unit, politely at first; returns when all are gone."""
        deadline = time.monotonic() + STOP_SECONDS
        while self._running and time.monotonic() < deadline:
            now = time.monotonic()
            self._collect(now)
            for name, running in list(self._running.items()):
                self._stop(name, running, now)
            time.sleep(TICK_SECONDS / 2)

    def _wanted(self) -> dict[str, Unit]:
        wanted: dict[str, Unit] = {}
        for path in sorted(self._units.glob("*.json")):
            # A unit dropped since the listing; failing here would end the whole node.
            with suppress(FileNotFoundError):
                wanted[path.stem] = parse_unit(path.read_text())
        return wanted

    def _collect(self, now: float) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                for running in self._running.values():
                    if running.pid == ended:
                        running.pid = 0
                        running.due = now + RESTART_SECONDS

    def _stop(self, name: str, running: Running, now: float) -> None:
        if not running.pid:
            del self._running[name]
        elif running.stopping is None:
            running.stopping = now
            os.kill(running.pid, signal.SIGTERM)
        elif now - running.stopping > STOP_SECONDS:
            os.kill(running.pid, signal.SIGKILL)

    def _tell(self) -> None:
        report = json.dumps(
            {name: {"pid": each.pid, "starts": each.starts} for name, each in sorted(self._running.items())}
        )
        if report != self._reported:
            temporary = self._report.with_suffix(".new")
            temporary.write_text(report)
            temporary.rename(self._report)
            self._reported = report


def _start(running: Running, now: float) -> None:
    """Start the unit, or note in its log why not and leave it for a later tick: the node's others go on."""
    log = Path(running.unit.log)
    try:
        running.pid = process.spawn(running.unit.argv, log=log, env=running.unit.env)
        running.starts += 1
    except OSError as error:
        running.due = now + RESTART_SECONDS
        with log.open("a") as lines:
            lines.write(f"supervisor: cannot start {running.unit.argv[0]}: {error}\n")


def prepare(directory: Path, hostname: str) -> None:
    """Give the node a /run and a name of its own; the lab's directory and the namespaces stay visible."""
    socket.sethostname(hostname)
    private = directory / "run"
    private.mkdir(exist_ok=True)
    process.check(["mount", "--no-mtab", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(private)])
    lab = directory.parent.parent
    for shared in (lab, Path("/run/netns")):
        inside = private / shared.relative_to("/run")
        inside.mkdir(parents=True)
        process.check(["mount", "--no-mtab", "--bind", str(shared), str(inside)])
    process.check(["mount", "--no-mtab", "--rbind", str(private), "/run"])


def main() -> None:
    directory, hostname = Path(sys.argv[1]), sys.argv[2]
    prepare(directory, hostname)
    supervisor = Supervisor(directory)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    (directory / "ready").touch()
    while not stopping:
        supervisor.tick(time.monotonic())
        time.sleep(TICK_SECONDS)
    supervisor.stop_all()


if __name__ == "__main__":
    main()

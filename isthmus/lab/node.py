"""A lab node from outside: start it, enter it, give it units and take them away.

A node is a network, mount, UTS and PID namespace whose process 1 is `supervisor.py`. It is entered with
nsenter and not with `ip netns exec`, which would remount /sys and hide the cgroups that a kubelet needs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isthmus.lab import process
from isthmus.lab.state import MARK, NAMESPACES, LabPaths
from isthmus.lab.supervisor import Unit
from isthmus.reconcile.errors import Fatal

START_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Machine:
    """The running side of a `topology.Node`."""

    paths: LabPaths
    name: str

    @property
    def directory(self) -> Path:
        return self.paths.node(self.name)

    def log(self, unit: str) -> Path:
        return self.paths.log(self.name, unit)

    def start(self) -> None:
        """Start process 1; `wait_started` tells when it is ready."""
        (self.directory / "units").mkdir(parents=True, exist_ok=True)
        (self.directory / "ready").unlink(missing_ok=True)
        namespace = NAMESPACES / self.paths.namespace(self.name)
        # -P: a module in the caller's working directory must not take the place of a real one.
        holder = process.spawn(
            ["nsenter", f"--net={namespace}", "unshare", "--mount", "--uts", "--pid", "--fork",
             "--kill-child", "--mount-proc", "--propagation", "slave", sys.executable, "-P", "-m",
             "isthmus.lab.supervisor", str(self.directory), self.name],
            log=self.log("supervisor"), env={MARK: self.paths.name},
        )  # fmt: skip
        (self.directory / "holder").write_text(str(holder))

    def wait_started(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (self.directory / "ready").exists():
            if time.monotonic() > deadline:
                raise Fatal(f"node {self.name} did not start; see {self.log('supervisor')}")
            time.sleep(0.02)

    def init(self) -> int:
        """The node's process 1, as this machine numbers it; Fatal if the node is not running."""
        try:
            holder = (self.directory / "holder").read_text()
            return int(Path(f"/proc/{holder}/task/{holder}/children").read_text().split()[0])
        except (OSError, IndexError) as error:
            raise Fatal(f"node {self.name} is not running: `isthmus lab down`, then up again") from error

    def alive(self) -> bool:
        """Whether the node runs."""
        try:
            return self.init() > 0
        except Fatal:
            return False

    def enter(self, argv: Sequence[str]) -> list[str]:
        """The command that runs *argv* on the node."""
        return ["nsenter", "-t", str(self.init()), "-n", "-m", "-u", "-p", "--", *argv]

    def put(self, name: str, unit: Unit) -> None:
        """Start unit *name*, or restart it if it changed."""
        path = self.directory / "units" / f"{name}.json"
        temporary = path.with_suffix(".new")
        temporary.write_text(unit.text(), encoding="utf-8")
        temporary.rename(path)

    def drop(self, name: str) -> None:
        """Stop unit *name* for good and return when it has ended."""
        (self.directory / "units" / f"{name}.json").unlink(missing_ok=True)
        deadline = time.monotonic() + START_SECONDS
        while name in self.running() and time.monotonic() < deadline:
            time.sleep(0.05)

    def running(self) -> dict[str, dict[str, int]]:
        """Unit name to its process id inside the node and how often it was started."""
        path = self.directory / "running.json"
        running: dict[str, dict[str, int]] = json.loads(path.read_text()) if path.exists() else {}
        return running

    def kill(self, name: str, signal_name: str = "KILL") -> None:
        """Send a signal to unit *name*; Fatal if it does not run."""
        pid = self.running().get(name, {}).get("pid", 0)
        if not pid:
            raise Fatal(f"{name} does not run on {self.name}; running are {', '.join(self.running())}")
        process.check(self.enter(["kill", f"-{signal_name}", str(pid)]))

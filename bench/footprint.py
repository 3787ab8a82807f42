"""What the daemons take from a node that has nothing to do: memory, CPU, and the price of starting them.

CPU is counted over a time without any change, in which watches, pings, heartbeats and resyncs go on; memory
is that of the daemons after they carried the rest of the benchmarks.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

from bench import processes
from bench.result import Result, at_most, shown
from bench.spent import cpu
from isthmus.lab import process
from isthmus.lab.lab import Lab

IDLE_SECONDS = 35
"""Longer than the resync interval of 30 s, so that at least one full pass of each daemon is counted."""
IMPORTS = 5
GOAL_RSS_MB = 80
GOAL_IDLE_PERCENT = 1.0

DAEMONS = {
    "gateway": ("east-gateway", "gateway"),
    "route agent (gateway node)": ("east-gateway", "routeagent"),
    "route agent (worker)": ("east-worker", "routeagent"),
}
"""Shown name to node and module."""


def measure(lab: Lab, say: Callable[[str], None]) -> list[Result]:
    """Watch the daemons of one cluster; the lab must be joined and idle."""
    found = {name: _pid(lab, *where) for name, where in DAEMONS.items()}
    charon = processes.inside(lab.paths.namespace("east-gateway"), "charon-systemd")
    groups = {**{name: [pid] for name, pid in found.items()}, "charon": charon}
    before = {name: processes.cpu_seconds(pids) for name, pids in groups.items()}
    say(f"watching the daemons for {IDLE_SECONDS} s")
    start = time.monotonic()
    time.sleep(IDLE_SECONDS)
    passed = time.monotonic() - start
    busy = {name: processes.cpu_seconds(pids) - before[name] for name, pids in groups.items()}
    results = [result for name, pid in found.items() for result in _memory(name, pid)]
    for name, seconds in busy.items():
        share = seconds / passed * 100
        figure = f"{name}: idle CPU"
        if name == "charon":
            results.append(shown(figure, share, "% of a core", "strongSwan itself"))
        else:
            results.append(
                at_most(figure, share, "% of a core", GOAL_IDLE_PERCENT, "two clusters, no change")
            )
    return [*results, *imports(say)]


def imports(say: Callable[[str], None]) -> list[Result]:
    """CPU to start Python and import a daemon, without any work."""
    results = []
    for module in ("gateway", "routeagent"):
        spent = [_import(f"{module}.__main__") for _ in range(IMPORTS)]
        say(f"importing {module}: {median(spent):.2f} s CPU")
        results.append(shown(f"{module}: start and import", median(spent), "s CPU", "Python alone: 0.02"))
    return results


def _import(module: str) -> float:
    before = cpu()
    process.check([sys.executable, "-P", "-c", f"import {module}"])
    return cpu() - before


def _memory(name: str, pid: int) -> list[Result]:
    used = processes.memory(pid)
    return [
        at_most(f"{name}: RSS", used.resident, "MB", GOAL_RSS_MB, "a joined pair of clusters"),
        shown(f"{name}: PSS", used.proportional, "MB", "libraries shared with the other daemons"),
    ]


def _pid(lab: Lab, node: str, module: str) -> int:
    [pid] = processes.inside(lab.paths.namespace(node), module)
    return pid

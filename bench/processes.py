"""What processes use: CPU time and memory, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from isthmus.lab.state import NAMESPACES

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """MB (10^6 bytes). `proportional` counts a page that n processes share as an n-th."""

    resident: float
    proportional: float
    private: float


def inside(namespace: str, name: str) -> list[int]:
    """Processes of that name, or Python running the module of that name, in a network namespace."""
    inode = (NAMESPACES / namespace).stat().st_ino
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                if (entry / "ns/net").stat().st_ino == inode and _is_called(entry, name):
                    found.append(int(entry.name))
    return sorted(found)


def _is_called(entry: Path, name: str) -> bool:
    arguments = (entry / "cmdline").read_text(encoding="utf-8").split("\0")
    if Path(arguments[0]).name == name:
        return True
    # `sh -c … python -m gateway` is not yet the daemon, `python -P -m gateway` is.
    return Path(arguments[0]).name.startswith("python") and arguments[2:4] == ["-m", name]


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that these processes have used so far; one that is gone counts as zero."""
    total = 0
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = (PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory(pid: int) -> Memory:
    """The memory of one process."""
    values = {
        key: int(rest.split()[0]) * 1024 / 1e6
        for key, _, rest in (
            line.partition(":") for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
        )
    }
    private = values["Private_Clean"] + values["Private_Dirty"]
    return Memory(values["Rss"], values["Pss"], private)

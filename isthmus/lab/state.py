"""Where a running lab keeps itself, and how all of it is found again, also after a crash.

Everything a lab makes is recognisable without any record: namespaces by the prefix of their names,
processes by the namespaces they live in or by a variable in their environment, files by the lab's directory.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from isthmus.lab import process
from isthmus.reconcile.errors import Fatal

RUN = Path("/run/isthmus-lab")
NAMESPACES = Path("/run/netns")
MARK = "ISTHMUS_LAB"
"""Environment variable of every process that a lab starts; its value is the lab's name."""

SHARED = ".made-namespaces-directory"
"""File in `RUN`: there was no directory for network namespaces before the labs."""

NAME = re.compile(r"[a-z][a-z0-9]{0,14}")
"""No dash: the prefix of one lab's namespaces must not be the beginning of another's."""


@dataclass(frozen=True, slots=True)
class LabPaths:
    """Names and places of the lab called `name`; Fatal if that is not a name for a lab."""

    name: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise Fatal(
                f"{self.name!r} cannot name a lab: use up to 15 lower-case letters and digits, a letter first"
            )

    @property
    def directory(self) -> Path:
        return RUN / self.name

    @property
    def topology(self) -> Path:
        """The topology of the running lab; its presence means that `up` came to its end."""
        return self.directory / "topology.yaml"

    @property
    def kubeconfig(self) -> Path:
        """All clusters in one file, one context each."""
        return self.directory / "kubeconfig"

    @property
    def prefix(self) -> str:
        return f"isl-{self.name}-"

    def namespace(self, place: str) -> str:
        """Network namespace of a node, a pod, a control plane or the WAN's router."""
        return f"{self.prefix}{place}"

    def cluster(self, name: str) -> Path:
        return self.directory / "clusters" / name

    def node(self, name: str) -> Path:
        return self.directory / "nodes" / name

    def log(self, place: str, program: str) -> Path:
        return self.directory / "log" / place / f"{program}.log"


@contextmanager
def alone(paths: LabPaths) -> Iterator[None]:
    """Be the only command that makes or removes the lab; Fatal if another is at it.

    The lock is a name in the abstract socket namespace: no file is left, and the kernel frees it when we die.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as lock:
        try:
            lock.bind(f"\0isthmus-lab-{paths.name}")
        except OSError as error:
            raise Fatal(
                f"another command is making or removing the lab {paths.name!r}: let it end, or stop it, first"
            ) from error
        yield


def note_machine() -> None:
    """Keep in mind what the first `ip netns add` of this machine is about to make for all labs."""
    if not NAMESPACES.exists():
        RUN.mkdir(parents=True, exist_ok=True)
        (RUN / SHARED).touch()


def tidy_machine() -> None:
    """After the last lab, remove the labs' directory, and that of the namespaces if a lab made it."""
    with suppress(OSError):
        if [entry.name for entry in RUN.iterdir()] == [SHARED]:
            _drop_namespaces_directory()
            (RUN / SHARED).unlink()
        RUN.rmdir()


def _drop_namespaces_directory() -> None:
    with suppress(OSError):
        if not any(NAMESPACES.iterdir()):
            # `ip netns add` has mounted it on itself.
            process.run(["umount", "--no-mtab", str(NAMESPACES)])
            NAMESPACES.rmdir()


def namespaces(paths: LabPaths) -> list[str]:
    """Network namespaces that belong to the lab."""
    with suppress(FileNotFoundError):
        return sorted(entry.name for entry in NAMESPACES.iterdir() if entry.name.startswith(paths.prefix))
    return []


def processes(paths: LabPaths) -> list[int]:
    """Processes of the lab: those inside its namespaces, and those with its mark in their environment."""
    inside = {_inode(NAMESPACES / name) for name in namespaces(paths)}
    marker = f"{MARK}={paths.name}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if _inode(entry / "ns/net") in inside or marker in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def mounts(paths: LabPaths) -> list[str]:
    """Mount points at and below the lab's directory, innermost first."""
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    points = [line.split()[1] for line in lines]
    inside = [point for point in points if Path(point).is_relative_to(paths.directory)]
    return sorted(inside, key=len, reverse=True)


def _inode(path: Path) -> int:
    return path.stat().st_ino

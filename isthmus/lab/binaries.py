"""Where the Kubernetes programs come from: given ones, the cache, or the Go toolchain on first use.

The versions are pinned by the Go module in `isthmus/lab/go`; the cache is keyed by a digest of it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from isthmus.lab import process
from isthmus.reconcile.errors import Fatal

NAMES = ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kubectl")
MODULE = Path(__file__).parent / "go"
BUILD_SECONDS = 3600
HEARTBEAT_SECONDS = 20.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Programs:
    """A directory that holds every program in `NAMES`."""

    directory: Path

    def path(self, name: str) -> str:
        """The program called *name*; what is not in the directory (etcd) is found through PATH."""
        own = self.directory / name
        found = str(own) if own.exists() else shutil.which(name)
        if found is None:
            raise Fatal(f"{name} is not installed: run tools/setup as root, or install it")
        return found


def pinned_version(module: Path = MODULE) -> str:
    """The Kubernetes version that the Go module requires, such as v1.36.3."""
    match = re.search(r"k8s\.io/kubernetes (v[0-9.]+)", (module / "go.mod").read_text(encoding="utf-8"))
    if match is None:
        raise Fatal(f"{module / 'go.mod'} does not require k8s.io/kubernetes: restore it from the repository")
    return match.group(1)


def cache_directory(module: Path = MODULE) -> Path:
    """Where programs built from *module* are kept."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    pinned = (module / "go.mod").read_bytes() + (module / "go.sum").read_bytes()
    digest = hashlib.sha256(pinned).hexdigest()[:12]
    return base / "isthmus" / "bin" / f"kubernetes-{pinned_version(module)}-{digest}"


def linker_flags(version: str) -> str:
    """Stamp the version: an unstamped server calls itself v0.0.0 and clients misbehave."""
    major, minor = version.lstrip("v").split(".")[:2]
    package = "k8s.io/component-base/version"
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    return " ".join(["-s", "-w", *(f"-X {package}.{name}={value}" for name, value in stamps.items())])


def find_programs(report: Callable[[str], None]) -> Programs:
    """The programs to run, built now if they must be; progress goes to *report*."""
    if given := os.environ.get("KUBEBUILDER_ASSETS"):
        missing = [name for name in NAMES if not (Path(given) / name).exists()]
        if missing:
            raise Fatal(
                f"KUBEBUILDER_ASSETS={given} lacks {', '.join(missing)}: add them, or unset the variable"
            )
        return Programs(Path(given).absolute())
    directory = cache_directory()
    if any(not (directory / name).exists() for name in NAMES):
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _build_missing(directory, report)
    return Programs(directory)


def _build_missing(directory: Path, report: Callable[[str], None]) -> None:
    if shutil.which("go") is None:
        raise Fatal(
            "the Go toolchain is needed once, to build the Kubernetes programs, and `go` is not in PATH "
            "(sudo has a PATH of its own): install it from your distribution or go.dev, or point "
            "KUBEBUILDER_ASSETS to a directory that holds them"
        )
    for name in NAMES:
        if not (directory / name).exists():
            _build(directory, name, report)


def _build(directory: Path, name: str, report: Callable[[str], None]) -> None:
    version = pinned_version()
    report(f"building {name} {version} (minutes when the Go cache is cold)")
    started = time.monotonic()
    temporary = directory / f".{name}.{os.getpid()}"
    command = ["go", "build", "-mod=readonly", "-p", "2", "-trimpath", "-ldflags", linker_flags(version)]
    done = with_heartbeat(
        lambda: process.run(
            [*command, "-o", str(temporary), f"k8s.io/kubernetes/cmd/{name}"],
            cwd=MODULE,
            timeout=BUILD_SECONDS,
            env={"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"},
        ),
        lambda seconds: report(f"… still building {name} ({seconds:.0f} s)"),
    )
    if not done.ok:
        raise Fatal(f"building {name} failed: {done.stderr.strip()[-800:]}")
    temporary.rename(directory / name)
    report(f"built {name} in {time.monotonic() - started:.0f} s")


def with_heartbeat(
    work: Callable[[], T], beat: Callable[[float], None], every: float = HEARTBEAT_SECONDS
) -> T:
    """Do *work* and meanwhile tell *beat* now and then how many seconds it has taken."""
    started = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        while not wait([future], timeout=every).done:
            beat(time.monotonic() - started)
        return future.result()

"""Private network namespaces for tests: made, entered and removed here; no test touches the host's own.

Entering moves the calling thread, and with it every socket it opens and every program it starts.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "ist-"
CLONE_NEWNET = 0x40000000


def run(*argv: str, stdin: str | None = None) -> str:
    """Run a program in the thread's namespace and return what it printed."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def create(name: str) -> None:
    """Make the namespace *name* with its loopback up."""
    if not name.startswith(PREFIX):
        raise ValueError(f"namespace {name!r} does not begin with {PREFIX!r}")
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "set", "lo", "up")


def remove(name: str) -> None:
    """Remove the namespace; a missing one is fine."""
    if Path("/run/netns", name).exists():
        run("ip", "netns", "del", name)


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Move the calling thread into the namespace *name* for the duration of the block."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        target = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(target)
        finally:
            os.close(target)
        try:
            yield
        finally:
            _setns(before)
    finally:
        os.close(before)


@contextmanager
def private_namespace() -> Iterator[str]:
    """A fresh namespace that the calling thread is in; gone after the block, whatever happened there."""
    name = f"{PREFIX}{secrets.token_hex(4)}"
    create(name)
    try:
        with inside(name):
            yield name
    finally:
        remove(name)


def _setns(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"setns: {os.strerror(code)}")

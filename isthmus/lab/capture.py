"""Records what crosses the WAN, as the router sees it arrive from the sites."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import kill
from pathlib import Path

from isthmus.lab.process import alive, kill_all, spawn
from isthmus.lab.wirecount import Wire, WireCounts, count_capture
from isthmus.reconcile.errors import Transient

_HEADERS = 160
"""Bytes kept of each packet: every header of interest and the non-ESP marker; contents are not needed."""
_BUFFER_KIB = 65536
_START_SECONDS = 10.0
_STOP_SECONDS = 10.0
_SETTLE_SECONDS = 0.2


class CaptureFailed(Transient):
    """tcpdump did not start, or lost packets; says what to do."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A running capture in *namespace*: the file it writes, and tcpdump's process and words."""

    namespace: str
    pid: int
    path: Path
    log: Path


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finished capture: its counts, and how many packets the kernel could not hand over."""

    counts: WireCounts
    dropped: int


def start_capture(namespace: str, path: Path) -> Capture:
    """Begin to record what arrives on any device of *namespace*; return once the kernel delivers packets.

    Only arriving packets: one that is forwarded would be seen twice otherwise.

    Raises:
        CaptureFailed: tcpdump is missing or refused.
    """
    log = path.with_suffix(".log")
    for stale in (path, log):
        stale.unlink(missing_ok=True)
    argv = ["ip", "netns", "exec", namespace, "tcpdump", "-i", "any", "-Q", "in", "-n", "-Z", "root"]
    # Immediate mode: otherwise the last second stays in the kernel's ring, and SIGINT ends tcpdump before it.
    argv += ["--immediate-mode", "-U", "-s", str(_HEADERS), "-B", str(_BUFFER_KIB), "-w", str(path)]
    pid = spawn(argv, log=log)
    deadline = time.monotonic() + _START_SECONDS
    while "listening on" not in _said(log):
        if not alive(pid) or time.monotonic() > deadline:
            kill_all([pid])
            raise CaptureFailed(
                f"tcpdump did not start: {_said(log).strip()[-300:] or 'it said nothing'}; install it"
            )
        time.sleep(0.02)
    return Capture(namespace, pid, path, log)


@contextmanager
def recording(namespace: str, path: Path) -> Iterator[Capture]:
    """A capture that ends with the block at the latest, whatever happens in it: nobody else would end it."""
    capture = start_capture(namespace, path)
    try:
        yield capture
    finally:
        kill_all([capture.pid])


def stop_capture(capture: Capture, wire: Wire) -> Recorded:
    """End the capture, every packet written, and count what it holds.

    Raises:
        BadCapture: the file was damaged.
    """
    time.sleep(_SETTLE_SECONDS)
    with suppress(ProcessLookupError):
        kill(capture.pid, signal.SIGINT)
    deadline = time.monotonic() + _STOP_SECONDS
    while alive(capture.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    kill_all([capture.pid])
    return Recorded(count_capture(capture.path.read_bytes(), wire), _dropped(_said(capture.log)))


def _dropped(said: str) -> int:
    found = re.search(r"(\d+) packets? dropped by kernel", said)
    return int(found.group(1)) if found else 0


def _said(log: Path) -> str:
    try:
        return log.read_text(errors="replace")
    except FileNotFoundError:
        return ""

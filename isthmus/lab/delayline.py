"""A WAN link's delay and loss where the kernel has no netem: packets pass a TUN and wait in this process.

Run in the router's namespace as `python -m isthmus.lab.delayline`. The router's policy rules (`wan`) send
what crosses the link into the TUN; each packet is written back after its delay and takes its usual route.
When the process dies, its TUN and the routes through it go, and the link is undelayed again.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import os
import select
import signal
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from types import FrameType

_TUNSETIFF = 0x400454CA
_IFF_TUN = 0x0001
_IFF_NO_PI = 0x1000
_LARGEST_PACKET = 65535
_READS_PER_TURN = 64
_LONGEST_WAIT = 1.0


@dataclass(frozen=True, slots=True)
class LinkQuality:
    """What a packet meets on its way: *delay* in seconds each way, *loss* as a share from 0 to 1."""

    delay: float = 0.0
    loss: float = 0.0


class Line:
    """Packets in flight, in the order in which they entered."""

    def __init__(self, quality: LinkQuality, random: Random, limit: int = 100_000) -> None:
        """Hold at most *limit* packets: beyond that the line drops, as a full router queue does."""
        self._quality = quality
        self._random = random
        self._limit = limit
        self._waiting: deque[tuple[float, bytes]] = deque()
        self.lost = 0

    def enter(self, packet: bytes, now: float) -> None:
        """Take a packet in at time *now*, or lose it."""
        lost = self._quality.loss > 0 and self._random.random() < self._quality.loss
        if lost or len(self._waiting) >= self._limit:
            self.lost += 1
            return
        # One delay for all and time that never goes back: the queue is sorted by due time without a heap.
        self._waiting.append((now + self._quality.delay, packet))

    def leave(self, now: float) -> list[bytes]:
        """Give the packets whose time has come, oldest first."""
        due: list[bytes] = []
        while self._waiting and self._waiting[0][0] <= now:
            due.append(self._waiting.popleft()[1])
        return due

    def wait(self, now: float) -> float:
        """Seconds until the next packet is due, at most a second."""
        if not self._waiting:
            return _LONGEST_WAIT
        return min(max(self._waiting[0][0] - now, 0.0), _LONGEST_WAIT)


def open_tun(name: str) -> int:
    """Create the TUN *name* in this process's network namespace and return its descriptor.

    Raises:
        OSError: no right to, or no /dev/net/tun.
    """
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    request = struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI)
    try:
        fcntl.ioctl(descriptor, _TUNSETIFF, request)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def run_line(descriptor: int, line: Line, stopped: Callable[[], bool]) -> None:
    """Carry packets until *stopped*."""
    while not stopped():
        # select, not poll: poll's timeout is whole milliseconds, a tenth of a short link's delay.
        select.select([descriptor], [], [], line.wait(time.monotonic()))
        _read_waiting(descriptor, line)
        for packet in line.leave(time.monotonic()):
            _write(descriptor, packet)


def _read_waiting(descriptor: int, line: Line) -> None:
    for _ in range(_READS_PER_TURN):
        try:
            packet = os.read(descriptor, _LARGEST_PACKET)
        except BlockingIOError:
            return
        line.enter(packet, time.monotonic())


def _write(descriptor: int, packet: bytes) -> None:
    try:
        os.write(descriptor, packet)
    except OSError as error:
        # The kernel refuses a malformed packet with EINVAL, a device that is down with EIO, a full queue with
        # EAGAIN: a wire would lose each of them without a word.
        if error.errno not in (errno.EINVAL, errno.EIO, errno.EAGAIN, errno.ENOBUFS):
            raise


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one link's line until SIGTERM."""
    parser = argparse.ArgumentParser(prog="isthmus.lab.delayline")
    parser.add_argument("--tun", required=True, help="name of the TUN device to create")
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--loss-percent", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    stop: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        stop.append(number)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    quality = LinkQuality(delay=given.delay_ms / 1000, loss=given.loss_percent / 100)
    # A seeded generator on purpose: the same losses in every run.
    line = Line(quality, Random(given.seed))
    run_line(open_tun(given.tun), line, lambda: bool(stop))


if __name__ == "__main__":
    main()

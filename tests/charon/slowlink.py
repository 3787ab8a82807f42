"""A link with a long round trip and losses: two TUN devices and a thread that carries packets over."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

from tests import netns

TUNSETIFF = 0x400454CA
IFF_TUN_WITHOUT_HEADER = 0x1001
LARGEST = 65535
LONGEST_WAIT = 0.05


@contextmanager
def slow_link(namespaces: tuple[str, ...], delay: float = 0.2, loss: float = 0.1) -> Iterator[None]:
    """Connect two namespaces by `eth0`; *delay* in seconds each way, *loss* as a share, by a fixed seed."""
    ends = [_open(namespace) for namespace in namespaces]
    stop = threading.Event()
    thread = threading.Thread(target=_carry, args=(ends, delay, loss, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for end in ends:
            os.close(end)


def _open(namespace: str) -> int:
    with netns.inside(namespace):
        end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", b"eth0", IFF_TUN_WITHOUT_HEADER))
    return end


def _carry(ends: list[int], delay: float, loss: float, stop: threading.Event) -> None:
    random = Random(1)
    flying: deque[tuple[float, int, bytes]] = deque()
    while not stop.is_set():
        wait = min(LONGEST_WAIT, max(0.0, flying[0][0] - time.monotonic())) if flying else LONGEST_WAIT
        for end in select.select(ends, [], [], wait)[0]:
            packet = os.read(end, LARGEST)
            if random.random() >= loss:
                flying.append((time.monotonic() + delay, ends[1 - ends.index(end)], packet))
        while flying and flying[0][0] <= time.monotonic():
            _, end, packet = flying.popleft()
            with suppress(OSError):  # the device is down
                os.write(end, packet)

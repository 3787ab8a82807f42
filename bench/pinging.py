"""A ping that runs while something happens, and when its answers came."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from threading import Thread

from isthmus.lab.lab import Lab

INTERVAL = 0.01
GAP = 0.1
"""Seconds without an answer that make an outage."""

_ANSWER = re.compile(r"^\[([\d.]+)\] \d+ bytes from .*icmp_seq=\d+ ttl")


class Answers:
    """Wall-clock times (seconds) at which answers came, growing."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def take(self, line: str) -> None:
        """Read one line of ping's output."""
        if found := _ANSWER.match(line):
            self.times.append(float(found[1]))

    def wait_first(self, since: float, seconds: float) -> float:
        """Return how long after *since* the first answer came."""
        return self._wait(lambda: first_after(self.times, since), since, seconds)

    def wait_recovery(self, since: float, seconds: float) -> float:
        """Return how long after *since* answers came again, after they had stopped."""
        return self._wait(lambda: recovery_after(self.times, since), since, seconds)

    def wait_silence(self, seconds: float) -> None:
        """Return when no answer has come for a while."""
        deadline = time.time() + seconds
        while self.times and time.time() - self.times[-1] < GAP * 3:
            if time.time() > deadline:
                raise TimeoutError(f"pings are still answered after {seconds:g} s")
            time.sleep(INTERVAL)

    def _wait(self, look: Callable[[], float | None], since: float, seconds: float) -> float:
        deadline = time.time() + seconds
        while True:
            found = look()
            if found is not None:
                return found - since
            if time.time() > deadline:
                raise TimeoutError(f"no answer within {seconds:g} s")
            time.sleep(INTERVAL)


def first_after(times: Sequence[float], since: float) -> float | None:
    """The first answer after *since*."""
    return next((each for each in times if each > since), None)


def recovery_after(times: Sequence[float], since: float) -> float | None:
    """The first answer after an outage that *since* began; a pause that it merely ended does not count."""
    return next(
        (later for earlier, later in pairwise(times) if later - max(earlier, since) >= GAP and later > since),
        None,
    )


@contextmanager
def pinging(lab: Lab, place: str, address: str) -> Iterator[Answers]:
    """Ping *address* from *place* a hundred times a second for the block's duration."""
    answers = Answers()
    command = lab.command(place, ["ping", "-n", "-D", "-i", str(INTERVAL), "-W", "1", address])
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as ping:
        assert ping.stdout is not None
        reader = Thread(target=_read, args=(ping.stdout, answers), daemon=True)
        reader.start()
        try:
            yield answers
        finally:
            ping.kill()
            reader.join(timeout=5)


def _read(lines: Iterator[str], answers: Answers) -> None:
    for line in lines:
        answers.take(line)

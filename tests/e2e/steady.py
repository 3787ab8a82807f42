"""A flow between innocent Pods that runs through all of a module's tests; each test tells what it lost."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from isthmus.lab.lab import Lab
from tests.e2e.patience import eventually

INTERVAL = "0.05"


@dataclass(frozen=True)
class Steady:
    """A running ping whose output goes to a file."""

    log: Path

    def answers(self) -> list[int]:
        """Sequence numbers of all answers so far."""
        return [int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", self.log.read_text())]

    @contextmanager
    def unharmed(self) -> Iterator[None]:
        """The flow goes on during the block and loses nothing."""
        first = self.answers()[-1]
        yield
        last = self.next_answer()
        lost = set(range(first, last)) - set(self.answers())
        assert not lost, f"{len(lost)} of {last - first} packets lost: {sorted(lost)[:10]}"

    def next_answer(self) -> int:
        """Wait for an answer that is not there yet."""
        known = max(self.answers(), default=0)

        def newest() -> int:
            latest = max(self.answers(), default=0)
            assert latest > known, "the flow between innocent Pods has stopped"
            return latest

        return eventually(newest)


@contextmanager
def steady_flow(lab: Lab, place: str, address: str, log: Path) -> Iterator[Steady]:
    """Ping *address* from *place* for as long as the block lasts."""
    command = lab.command(place, ["stdbuf", "-oL", "ping", "-n", "-i", INTERVAL, address])
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as ping:
        flow = Steady(log)
        try:
            flow.next_answer()
            yield flow
        finally:
            ping.terminate()

"""Candidates against one Lease in virtual time, over a network that delays and loses calls."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from gateway.election import Election
from gateway.leadership import (
    CallFailed,
    Event,
    Holding,
    LeaseRead,
    LeaseTimes,
    LeaseWritten,
    Read,
    Sleep,
    Woken,
    Write,
    WriteLost,
)

TIMES = LeaseTimes(duration=15.0, renew_deadline=10.0, retry_period=2.0)


@dataclass
class Server:
    """A Lease with optimistic concurrency."""

    lease: Holding | None = None
    version: int = 0

    def write(self, holder: str, over: Holding | None) -> Holding | None:
        current = self.lease.version if self.lease else None
        expected = over.version if over else None
        if current != expected:
            return None
        self.version += 1
        self.lease = Holding(holder, TIMES.duration, str(self.version))
        return self.lease


@dataclass(frozen=True)
class Call:
    """How the network treats one call: seconds to the server, seconds back, and what gets lost."""

    there: float
    back: float
    lost: str = ""


@dataclass
class Candidate:
    name: str
    rate: float
    calls: list[Call]
    machine: Election
    used: int = 0

    def next_call(self) -> Call:
        self.used += 1
        return self.calls[self.used % len(self.calls)]


class World:
    """A priority queue of (true time, what happens); each candidate sees its own clock = true time x rate."""

    def __init__(self, candidates: list[Candidate]) -> None:
        self.server = Server()
        self.candidates = candidates
        self.queue: list[tuple[float, int, Candidate, object]] = []
        self.count = 0
        for candidate in candidates:
            self.at(0.0, candidate, Woken())

    def at(self, when: float, who: Candidate, what: object) -> None:
        self.count += 1
        heapq.heappush(self.queue, (when, self.count, who, what))

    def run(self, until: float) -> list[str]:
        """Return the complaints: moments at which two candidates thought they lead."""
        complaints = []
        while self.queue and self.queue[0][0] < until:
            now, _, who, what = heapq.heappop(self.queue)
            if isinstance(what, tuple):
                self.arrive(now, who, *what)
            else:
                self.tell(now, who, what)  # type: ignore[arg-type]
            leaders = [one.name for one in self.candidates if one.machine.leads(now * one.rate)]
            if len(leaders) > 1:
                complaints.append(f"{now}: {leaders}")
        return complaints

    def tell(self, now: float, who: Candidate, event: Event) -> None:
        for command in who.machine.handle(event, now * who.rate):
            match command:
                case Sleep(seconds):
                    self.at(now + seconds / who.rate, who, Woken())
                case Read() | Write():
                    self.send(now, who, command)

    def send(self, now: float, who: Candidate, command: Read | Write) -> None:
        call = who.next_call()
        limit = now + command.timeout / who.rate
        if call.lost == "request":
            self.at(limit, who, CallFailed("request lost"))
            return
        in_time = now + call.there + call.back < limit and call.lost != "answer"
        if not in_time:
            self.at(limit, who, CallFailed("answer lost"))
        self.at(now + call.there, who, (command, now, in_time, call.back))

    def arrive(
        self, now: float, who: Candidate, command: Read | Write, sent: float, heard: bool, back: float
    ):
        if isinstance(command, Read):
            event: Event = LeaseRead(self.server.lease)
        else:
            written = self.server.write(command.holder, command.over)
            event = LeaseWritten(written, sent * who.rate) if written else WriteLost()
        if heard:
            self.at(now + back, who, event)

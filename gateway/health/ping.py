"""Pings every peer's health-check address through its tunnel, once per interval, and keeps the results.

A late reply still counts: what matters is whether the tunnel carries packets, not whether it is quick.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crds.meta import IPAddress
from gateway.health.icmp import Echoes, EchoRefused, Origin
from gateway.health.stats import PeerHealth, answered, unanswered
from isthmus.reconcile.clock import Clock

SEQUENCES = 1 << 16
RETRY_AFTER_REFUSAL = 5.0
"""Seconds between attempts to open a socket that the host refuses."""


@dataclass(frozen=True, slots=True)
class PingTiming:
    """Seconds between echoes to one peer, and how many in a row may stay unanswered."""

    interval: float = 1.0
    allowed_losses: int = 5


@dataclass(slots=True)
class _Flight:
    """The last echo sent to a peer; `returned` once its reply came."""

    sequence: int
    sent_at: float
    returned: bool = False


class Pinger:
    """Keeps one health record per cable."""

    def __init__(
        self, echoes: Echoes, clock: Clock, timing: PingTiming, on_change: Callable[[], None]
    ) -> None:
        self._echoes = echoes
        self._clock = clock
        self._timing = timing
        self._on_change = on_change
        self._origin = Origin()
        self._health: dict[str, PeerHealth] = {}
        self._flights: dict[IPAddress, _Flight] = {}

    def aim(self, targets: Mapping[str, IPAddress], origin: Origin) -> None:
        """From now on ping these addresses, by cable name; figures of unchanged ones are kept."""
        self._origin = origin
        kept = {name: old for name, old in self._health.items() if targets.get(name) == old.address}
        self._health = {name: kept.get(name, PeerHealth(address)) for name, address in targets.items()}
        wanted = set(targets.values())
        self._flights = {address: flight for address, flight in self._flights.items() if address in wanted}

    def health(self) -> dict[str, PeerHealth]:
        """What is known now, by cable name."""
        return dict(self._health)

    async def run(self) -> None:
        """Ping for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_rounds())
            tasks.create_task(self._collect())

    async def _send_rounds(self) -> None:
        sequence = 0
        while True:
            sequence = (sequence + 1) % SEQUENCES
            for address in sorted({one.address for one in self._health.values()}, key=str):
                self._probe(address, sequence)
            await self._clock.sleep(self._timing.interval)

    def _probe(self, address: IPAddress, sequence: int) -> None:
        before = self._flights.get(address)
        try:
            self._echoes.send(address, sequence, self._origin)
        except EchoRefused as refusal:
            self._flights.pop(address, None)
            self._miss(address, str(refusal))
            return
        self._flights[address] = _Flight(sequence, self._clock.monotonic())
        if before and not before.returned:
            self._miss(address, "")

    def _miss(self, address: IPAddress, cause: str) -> None:
        self._update(address, lambda one: unanswered(one, self._timing.allowed_losses, cause))

    async def _collect(self) -> None:
        while True:
            try:
                reply = await self._echoes.receive()
            except EchoRefused:
                # The sending side reports the same refusal with each echo.
                await self._clock.sleep(RETRY_AFTER_REFUSAL)
                continue
            self._land(reply.address, reply.sequence)

    def _land(self, address: IPAddress, sequence: int) -> None:
        flight = self._flights.get(address)
        if flight is None:
            return
        missed = (flight.sequence - sequence) % SEQUENCES
        if missed and flight.returned:
            return
        flight.returned = True
        # Echoes leave once per interval, so an older one left that many intervals before the last.
        taken = self._clock.monotonic() - flight.sent_at + missed * self._timing.interval
        self._update(address, lambda one: answered(one, taken))

    def _update(self, address: IPAddress, change: Callable[[PeerHealth], PeerHealth]) -> None:
        for name, old in self._health.items():
            if old.address == address:
                self._health[name] = change(old)
                if old.reach is not self._health[name].reach:
                    self._on_change()

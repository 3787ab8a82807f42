"""Does this node reach the other clusters? Pings each peer's health-check address, seldom.

Only workers ask: a gateway has its own, quicker check. The figures are of the last rounds, so that a way that
got better or worse shows it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import icmplib

from crds.gateway import ConnectionStatus, Latency
from crds.meta import IPAddress
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.errors import Transient

ROUNDS_KEPT = 60
ECHOES = 3
"""Echoes of one round to one peer; one answer is enough."""
ECHO_TIMEOUT = 2.0
"""Seconds."""
EAGER_INTERVAL = 5.0
"""Seconds between rounds to a peer that did not answer: its recovery should show soon."""


class EchoRefused(Transient):
    """The host lets us send no pings."""


@dataclass(frozen=True, slots=True)
class PeerReach:
    """What the rounds so far say of one address; `samples` are round-trip times in seconds, newest last.

    `asked_at` is the time of the last round on the monotonic clock, None before the first; `cause` says why
    no ping could be sent.
    """

    address: IPAddress | None
    asked_at: float | None = None
    answered: bool = False
    samples: tuple[float, ...] = ()
    cause: str = ""

    def due(self, now: float, interval: float) -> bool:
        """Whether it is time for another round."""
        if self.address is None:
            return False
        return not self.answered or self.asked_at is None or now - self.asked_at >= interval

    def after(self, now: float, seconds: float | None, cause: str = "") -> PeerReach:
        """The figures after one more round; None means that nothing came back."""
        samples = self.samples if seconds is None else (*self.samples, seconds)[-ROUNDS_KEPT:]
        return PeerReach(self.address, now, seconds is not None, samples, cause)


class Echoes(Protocol):
    """ICMP echo as a boundary."""

    async def ask(self, addresses: Sequence[IPAddress]) -> Mapping[IPAddress, float]:
        """Ping all addresses at once; seconds of the quickest answer of each that gave one.

        Raises EchoRefused when the host allows no pings.
        """


class IcmpEchoes:
    """Real pings through raw sockets, from the address that the kernel chooses."""

    async def ask(self, addresses: Sequence[IPAddress]) -> Mapping[IPAddress, float]:
        by_text = {str(address): address for address in addresses}
        try:
            hosts = await icmplib.async_multiping(
                list(by_text), count=ECHOES, interval=0.2, timeout=ECHO_TIMEOUT
            )
        except icmplib.ICMPLibError as error:
            raise EchoRefused(f"cannot send pings: {error}; the NET_RAW capability is needed") from error
        return {by_text[host.address]: host.min_rtt / 1000 for host in hosts if host.is_alive}


class HealthCheck:
    """Keeps one record per cable, and asks each peer once per interval, silent ones more often."""

    def __init__(self, echoes: Echoes, clock: Clock, interval: float, on_change: Callable[[], None]) -> None:
        self._echoes = echoes
        self._clock = clock
        self._interval = interval
        self._on_change = on_change
        self._reach: dict[str, PeerReach] = {}

    def aim(self, targets: Mapping[str, IPAddress | None]) -> None:
        """From now on ask these addresses, by cable name; a peer without address is only listed."""
        kept = {name: old for name, old in self._reach.items() if old.address == targets.get(name)}
        self._reach = {name: kept.get(name, PeerReach(address)) for name, address in targets.items()}

    def reach(self) -> Mapping[str, PeerReach]:
        """What is known now, by cable name."""
        return dict(self._reach)

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await self.ask_once()
            await self._clock.sleep(min(EAGER_INTERVAL, self._interval))

    async def ask_once(self) -> None:
        """One round to every peer that is due."""
        now = self._clock.monotonic()
        due = {name: one.address for name, one in self._reach.items() if one.due(now, self._interval)}
        addresses = sorted({address for address in due.values() if address is not None}, key=str)
        if not addresses:
            return
        cause, answers = "", dict[IPAddress, float]()
        try:
            answers = dict(await self._echoes.ask(addresses))
        except EchoRefused as refusal:
            cause = str(refusal)
        for name, address in due.items():
            one = self._reach.get(name)
            # Aimed anew while the pings were under way, the record may be another peer's.
            if one is not None and address is not None and one.address == address:
                self._reach[name] = one.after(now, answers.get(address), cause)
        self._on_change()


def reach_of(peer: PeerReach | None) -> tuple[ConnectionStatus, str, Latency | None]:
    """How a status shows one peer; None stands for health checks switched off."""
    if peer is None:
        return ConnectionStatus.NONE, "health checks are switched off", None
    if peer.address is None:
        return ConnectionStatus.NONE, "the Endpoint names no health-check address inside its subnets", None
    if peer.asked_at is None:
        return ConnectionStatus.NONE, f"the first ping to {peer.address} has not been sent yet", None
    if not peer.answered:
        reason = peer.cause or f"the health-check address {peer.address} does not answer pings from this node"
        return ConnectionStatus.ERROR, reason, _latency(peer.samples)
    return ConnectionStatus.CONNECTED, "", _latency(peer.samples)


def _latency(samples: Sequence[float]) -> Latency | None:
    if not samples:
        return None
    mean = sum(samples) / len(samples)
    deviation = math.sqrt(sum((sample - mean) ** 2 for sample in samples) / len(samples))
    return Latency(samples[-1], min(samples), mean, max(samples), deviation)

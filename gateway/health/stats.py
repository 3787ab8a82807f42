"""What a series of echoes says about one peer: is it reachable, and how far away. Pure.

A peer is in error once more echoes in a row went unanswered than allowed; one reply makes it reachable again.
Round-trip figures forget slowly, so that a link that became faster or slower shows it within an hour or so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from crds.gateway import Latency
from crds.meta import IPAddress

MEMORY = 1000
"""Echoes after which an old round-trip time has faded to about a third of its weight."""


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """Running figures in seconds; `variance` is of the whole series, not of a sample."""

    count: int = 0
    last: float = 0.0
    minimum: float = math.inf
    mean: float = 0.0
    maximum: float = 0.0
    variance: float = 0.0

    def with_sample(self, seconds: float) -> RoundTrips:
        """Add one round-trip time (Welford's recurrence, its weight never below 1 / MEMORY)."""
        weight = 1.0 / min(self.count + 1, MEMORY)
        step = seconds - self.mean
        return RoundTrips(
            count=self.count + 1,
            last=seconds,
            minimum=min(self.minimum, seconds),
            mean=self.mean + weight * step,
            maximum=max(self.maximum, seconds),
            variance=(1.0 - weight) * (self.variance + weight * step * step),
        )

    def latency(self) -> Latency | None:
        """The figures as the Gateway status shows them, None before the first reply."""
        if not self.count:
            return None
        return Latency(self.last, self.minimum, self.mean, self.maximum, math.sqrt(self.variance))


class Reach(StrEnum):
    """UNKNOWN: too few echoes to say. REACHED: the last ones came back. LOST: they do not come back."""

    UNKNOWN = "unknown"
    REACHED = "reached"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class PeerHealth:
    """What is known of one peer's health-check address."""

    address: IPAddress
    reach: Reach = Reach.UNKNOWN
    message: str = ""
    round_trips: RoundTrips = RoundTrips()
    unanswered: int = 0


def answered(health: PeerHealth, seconds: float) -> PeerHealth:
    """A reply came back after *seconds*."""
    return PeerHealth(health.address, Reach.REACHED, "", health.round_trips.with_sample(seconds))


def unanswered(health: PeerHealth, allowed: int, cause: str = "") -> PeerHealth:
    """An echo found no reply; *cause* tells why it could not even be sent, if that was so."""
    missed = health.unanswered + 1
    if missed <= allowed:
        return replace(health, unanswered=missed)
    reason = f": {cause}" if cause else ""
    return replace(
        health,
        reach=Reach.LOST,
        unanswered=missed,
        message=f"the last {missed} pings to the health-check address {health.address} got no answer{reason}",
    )

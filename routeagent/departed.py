"""Which subnets were behind a tunnel until a short while ago?

A Pod that still speaks to a member that has just left would do so in the clear, by the default route, and
with whatever secrets it believes to be sent through a tunnel. For some time such subnets stay unreachable, so
that connections fail instead.
"""

from __future__ import annotations

from collections.abc import Set

from crds.meta import IPNetwork
from isthmus.reconcile.clock import Clock

HOLD = 60.0
"""Seconds for which a departed subnet stays unreachable."""


class Departures:
    """Remembers who left; forgotten with a restart, which only opens what would have opened soon anyway."""

    def __init__(self, clock: Clock, hold: float = HOLD) -> None:
        self._clock = clock
        self._hold = hold
        self._present: Set[IPNetwork] = frozenset()
        self._until: dict[IPNetwork, float] = {}

    def note(self, present: Set[IPNetwork]) -> tuple[IPNetwork, ...]:
        """Take note of the subnets of all present members; return those that left within the hold time."""
        now = self._clock.monotonic()
        if present != self._present:
            self._until |= dict.fromkeys(self._present - present, now + self._hold)
            self._present = present
        self._until = {
            subnet: end for subnet, end in self._until.items() if end > now and subnet not in present
        }
        return tuple(sorted(self._until, key=lambda subnet: (subnet.version, int(subnet.network_address))))

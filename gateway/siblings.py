"""The other gateways of this cluster by their Gateway objects: which are alive, which could lead. Pure.

A gateway is alive while its object keeps changing; how old its timestamp claims to be does not matter, for
the clocks of two nodes may disagree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from crds.gateway import Gateway, HaStatus

STALE_AFTER = 15.0
"""Seconds; three times the interval at which every gateway writes its own object."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One gateway's object, and since when (monotonic seconds) its timestamp has not moved."""

    gateway: Gateway
    since: float


@dataclass(frozen=True, slots=True)
class Siblings:
    """Every other gateway, by object name."""

    seen: dict[str, Sighting] = field(default_factory=dict)

    def after(self, gateways: Iterable[Gateway], own: str, at: float) -> Siblings:
        """Take in the present objects."""
        return Siblings(
            {
                gateway.ref.name: Sighting(gateway, self._since(gateway, at))
                for gateway in gateways
                if gateway.ref.name != own
            }
        )

    def stale(self, at: float) -> tuple[str, ...]:
        """Those that have shown no sign of life for too long."""
        return tuple(sorted(name for name, one in self.seen.items() if at - one.since >= STALE_AFTER))

    def candidates(self, at: float) -> tuple[str, ...]:
        """Those that stand by, live, and report no failure of their own."""
        return tuple(
            sorted(
                name
                for name, one in self.seen.items()
                if at - one.since < STALE_AFTER
                and one.gateway.status.ha_status is HaStatus.PASSIVE
                and not one.gateway.status.status_failure
            )
        )

    def _since(self, gateway: Gateway, at: float) -> float:
        known = self.seen.get(gateway.ref.name)
        unmoved = known is not None and known.gateway.updated == gateway.updated
        return known.since if known and unmoved else at

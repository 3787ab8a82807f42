"""When does a gateway whose tunnel daemon is broken give up its place? Pure.

A gateway that leads but cannot make tunnels attracts traffic that it then drops. It steps aside once the
trouble has lasted, but only if somebody else is there to take over; alone, it keeps trying.
"""

from __future__ import annotations

from dataclasses import dataclass

PASSES = 3
"""Passes in a row that must have found the driver broken."""
PATIENCE = 15.0
"""Seconds that they must span: longer than a crashed charon needs to come back."""
ASIDE = 60.0
"""Seconds for which we then leave the Lease to others."""


@dataclass(frozen=True, slots=True)
class Streak:
    """An unbroken series of passes with a broken driver; `since` in monotonic seconds."""

    passes: int = 0
    since: float = 0.0

    def after(self, broken: bool, at: float) -> Streak:
        """The series after one more pass."""
        if not broken:
            return Streak()
        return Streak(self.passes + 1, self.since if self.passes else at)

    def calls_for_another(self, at: float) -> bool:
        """Whether the trouble has lasted long enough to let another gateway try."""
        return self.passes >= PASSES and at - self.since >= PATIENCE

"""When does a gateway whose tunnel daemon is broken give up its place?

A gateway that leads but cannot make tunnels attracts traffic that it then drops. It steps aside once the
trouble has lasted, but only if somebody else is there to take over; alone, it keeps trying.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway.picture import Picture
from isthmus.reconcile.clock import Clock

log = structlog.get_logger()

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


class StepAside:
    """Watches the passes and gives up the Lease when the series calls for it."""

    def __init__(
        self,
        clock: Clock,
        candidates: Callable[[], tuple[str, ...]],
        set_aside: Callable[[float, str], None],
    ) -> None:
        self._clock = clock
        self._candidates = candidates
        self._set_aside = set_aside
        self._streak = Streak()

    def after_pass(self, picture: Picture) -> None:
        """Take in what a pass found."""
        now, trouble = self._clock.monotonic(), picture.survey.driver_trouble
        self._streak = self._streak.after(bool(trouble) and picture.active, now)
        if not self._streak.calls_for_another(now):
            return
        others = self._candidates()
        if others:
            log.warning("stepped_aside", trouble=trouble, candidates=", ".join(others))
            self._set_aside(ASIDE, f"this gateway cannot make tunnels: {trouble}")
            self._streak = Streak()

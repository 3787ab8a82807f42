"""What one step of a pass did, as a value: counts for the canonical log line, failures for the loop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from isthmus.reconcile.errors import Transient


@dataclass(frozen=True, slots=True)
class Outcome:
    """Writes of one driver in one pass. `failures` are what the next pass must try again."""

    step: str
    added: int = 0
    changed: int = 0
    removed: int = 0
    failures: tuple[Transient, ...] = ()

    @property
    def writes(self) -> int:
        return self.added + self.changed + self.removed


@dataclass(frozen=True, slots=True)
class PassReport:
    """All steps of one pass, in the order in which they ran."""

    outcomes: tuple[Outcome, ...] = field(default=())

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> PassReport:
        return cls(tuple(outcomes))

    @property
    def writes(self) -> int:
        return sum(outcome.writes for outcome in self.outcomes)

    @property
    def failures(self) -> tuple[tuple[str, Transient], ...]:
        return tuple((outcome.step, error) for outcome in self.outcomes for error in outcome.failures)

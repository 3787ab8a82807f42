"""Runs a driver's writes one by one: counts what worked and collects what the world refused."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome

Verb = Literal["added", "changed", "removed"]


@dataclass(slots=True)
class Tally:
    """The growing account of one step; one refused write does not stop the others.

    A step never raises `Transient`: what it could not even read is a failure in its outcome as well.
    """

    step: str
    counts: dict[Verb, int] = field(default_factory=lambda: {"added": 0, "changed": 0, "removed": 0})
    failures: list[Transient] = field(default_factory=list)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Take a refusal inside the block, such as that of a read, as this step's failure."""
        try:
            yield
        except Transient as error:
            self.failures.append(error)

    async def write(self, verb: Verb, work: Awaitable[None]) -> bool:
        """Await one write; False if the world refused it."""
        return await self.batch({verb: 1}, work)

    async def batch(self, counts: Mapping[Verb, int], work: Awaitable[None]) -> bool:
        """Await one write that changes several objects at once; they count only if it worked."""
        known = len(self.failures)
        with self.collecting():
            await work
        if len(self.failures) > known:
            return False
        for verb, count in counts.items():
            self.counts[verb] += count
        return True

    def outcome(self) -> Outcome:
        """The account as a value."""
        counts = self.counts
        return Outcome(self.step, counts["added"], counts["changed"], counts["removed"], tuple(self.failures))

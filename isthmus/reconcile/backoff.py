"""How long to wait before trying again: exponential, jittered, bounded. The caller brings the chance."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_EXPONENT = 64
"""Any interval has reached its maximum by then; a larger power would overflow after days of failures."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds: `minimum` after the first failure, growing by `factor` up to `maximum`."""

    minimum: float
    maximum: float
    factor: float = 2.0

    def delay(self, attempt: int, random: float) -> float:
        """Wait this long after failure number *attempt* (from 0); *random* is evenly spread over [0, 1).

        The jitter only shortens, to half at most, so that also at the maximum clients that failed together
        spread out.
        """
        grown = self.minimum * self.factor ** min(attempt, LARGEST_EXPONENT)
        return max(self.minimum, min(self.maximum, grown) * (1.0 - 0.5 * random))

"""From samples to figures: medians, percentiles, ratios. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from statistics import median

__all__ = ["median", "parse_ping_times", "percentile", "ratio"]

_PING_TIME = re.compile(r"time=([\d.]+) ms")


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least *share* percent of all samples do not exceed (nearest rank)."""
    if not samples:
        raise ValueError("no samples: the measurement brought nothing back")
    ordered = sorted(samples)
    return ordered[max(math.ceil(share / 100 * len(ordered)), 1) - 1]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of the ratios of samples taken at about the same time, so that what slows both cancels out."""
    pairs = [(one, other) for one, other in zip(ours, theirs, strict=True) if other > 0]
    if not pairs:
        raise ValueError("nothing to compare with: every sample of the other side is zero")
    return median(one / other for one, other in pairs)


def parse_ping_times(output: str) -> list[float]:
    """Round-trip times in milliseconds that `ping` printed."""
    return [float(time) for time in _PING_TIME.findall(output)]

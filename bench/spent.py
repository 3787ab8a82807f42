"""CPU time of this process and of the programs it ran."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from statistics import median


def cpu() -> float:
    """Seconds so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def median_ms(work: Callable[[], object], times: int) -> float:
    """Median CPU milliseconds of one call, after a first one that does not count."""
    work()
    spent = []
    for _ in range(times):
        before = time.process_time()
        work()
        spent.append(time.process_time() - before)
    return median(spent) * 1000

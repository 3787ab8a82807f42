"""Networks as spans of numbers, so that thousands of them are compared by binary search.

Both IP families lie on one number line, IPv6 behind IPv4.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from crds.meta import IPNetwork

Span = tuple[int, int]
"""First and last number of a network, both included."""

_IPV6_OFFSET = 1 << 32


def span(network: IPNetwork) -> Span:
    """Return the numbers that *network* covers."""
    first = int(network.network_address) + (_IPV6_OFFSET if network.version == 6 else 0)
    return first, first + (1 << (network.max_prefixlen - network.prefixlen)) - 1


class Ranges:
    """A set of addresses, kept as sorted spans that neither overlap nor touch."""

    def __init__(self, starts: list[int], ends: list[int]) -> None:
        self._starts = starts
        self._ends = ends

    @classmethod
    def of(cls, networks: Iterable[IPNetwork]) -> Ranges:
        starts: list[int] = []
        ends: list[int] = []
        for first, last in sorted(map(span, networks)):
            if ends and first <= ends[-1] + 1:
                ends[-1] = max(ends[-1], last)
            else:
                starts.append(first)
                ends.append(last)
        return cls(starts, ends)

    def spans(self) -> Iterable[Span]:
        return zip(self._starts, self._ends, strict=True)

    def covers(self, wanted: Span) -> bool:
        """Tell whether every number of *wanted* is in the set."""
        index = bisect_right(self._starts, wanted[0]) - 1
        return index >= 0 and self._ends[index] >= wanted[1]

    def touches(self, wanted: Span) -> bool:
        """Tell whether any number of *wanted* is in the set."""
        index = bisect_right(self._starts, wanted[1]) - 1
        return index >= 0 and self._ends[index] >= wanted[0]

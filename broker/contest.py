"""Does somebody else keep undoing what we write at the broker?

Two clusters under one id would each replace the other's objects as fast as they see them. Whoever has to
write the same thing again and again stops for a while and says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from broker.transform import ItemKey

WINDOW = 60.0
"""Seconds for which a write is remembered."""

MOST_WRITES = 4
"""Equal writes of one object within the window that are nothing unusual."""

Write = tuple[ItemKey, str]
"""What was written where: the object's key and body, "" for a deletion."""


class Contest:
    """Remembers recent writes. Time comes in as seconds of any monotonic clock."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, Write]] = deque()

    def note(self, writes: Iterable[Write], now: float) -> None:
        """Remember what was just written."""
        self._recent.extend((now, write) for write in writes)

    def lost(self, wanted: Mapping[ItemKey, str], now: float) -> frozenset[ItemKey]:
        """Return which of the *wanted* writes were made too often to make them again now."""
        while self._recent and self._recent[0][0] <= now - WINDOW:
            self._recent.popleft()
        made = [write for _, write in self._recent]
        return frozenset(key for key, body in wanted.items() if made.count((key, body)) >= MOST_WRITES)

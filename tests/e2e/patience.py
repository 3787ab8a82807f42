"""Wait for what must come true: the one way in which these tests wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.15
LONGEST_SECONDS = 40.0
"""Most things come true within two seconds; a loaded machine gets more."""


def eventually(ask: Callable[[], T], *, seconds: float = LONGEST_SECONDS) -> T:
    """Ask until the answer asserts nothing false, and return it; the last AssertionError after *seconds*."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(POLL_SECONDS)

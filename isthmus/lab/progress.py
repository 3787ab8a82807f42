"""How the lab's commands tell how far they are."""

from __future__ import annotations

import sys
import time

STARTED = time.monotonic()


def report(line: str) -> None:
    """One line of progress, with the seconds since the command began."""
    print(f"  {time.monotonic() - STARTED:5.1f} s  {line}", file=sys.stderr, flush=True)

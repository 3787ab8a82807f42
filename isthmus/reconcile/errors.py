"""The kinds of failure a daemon knows.

`Transient`   the world refused for now; the loop runs again with backoff (`reconcile.loop`).
`Fatal`       the daemon cannot start here and says what to do; the process exits non-zero, no traceback.
anything else is a bug: nobody catches it, the process ends with a traceback and a restart is safe.
"""

from __future__ import annotations


class Transient(Exception):
    """A refusal that may pass: an API server away, a lock held, a socket missing. Says what to look at."""


class Fatal(Exception):
    """A start-up condition that only the operator can change, in one sentence that says how."""

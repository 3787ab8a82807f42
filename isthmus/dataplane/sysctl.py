"""Kernel settings that we change while we are installed, and the values they had before.

A setting carries no mark of who set it, so the originals are kept in a file on the node; a setting is ours
while it is listed there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from isthmus.reconcile.outcome import Outcome


class Sysctl(Protocol):
    """The tree under /proc/sys; keys as there: `net/ipv4/conf/eth0/rp_filter`."""

    def read(self, key: str) -> str | None:
        """The value, or None if there is no such setting (its interface is gone)."""

    def write(self, key: str, value: str) -> None:
        """Set the value; raises Missing if there is no such setting."""


class Originals(Protocol):
    """Where the values before our first write are kept."""

    def load(self) -> dict[str, str]:
        """What was kept; empty if nothing was."""

    def save(self, values: Mapping[str, str]) -> None:
        """Keep exactly these; none removes the file."""


def sync_sysctls(sysctl: Sysctl, originals: Originals, desired: Mapping[str, str]) -> Outcome:
    """Bring settings to *desired* and give those no longer desired their original value back."""
    raise NotImplementedError

"""Kernel settings that we change while we are installed, and the values they had before.

A setting carries no mark of who set it, so the originals are kept in a file on the node; a setting is ours
while it is listed there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from isthmus.dataplane.errors import refused
from isthmus.reconcile.errors import Transient
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


@dataclass(frozen=True, slots=True)
class KernelSysctl:
    """`Sysctl` of this thread's network namespace."""

    root: Path = Path("/proc/sys")

    def read(self, key: str) -> str | None:
        try:
            return (self.root / key).read_text(encoding="ascii").rstrip("\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refused(f"read sysctl {key}", error.errno or 0) from error

    def write(self, key: str, value: str) -> None:
        try:
            with (self.root / key).open("r+", encoding="ascii") as setting:
                setting.write(value)
        except OSError as error:
            raise refused(f"set sysctl {key} to {value}", error.errno or 0) from error


@dataclass(frozen=True, slots=True)
class OriginalsFile:
    """`Originals` in a JSON file, replaced as a whole, so that a kill never leaves half of it."""

    path: Path

    def load(self) -> dict[str, str]:
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
            if not isinstance(values, dict):
                raise ValueError("it holds no JSON object")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise OriginalsUnreadable(
                f"cannot read the original sysctl values in {self.path} ({error}); repair the file, or "
                "remove it and the values that are set now count as the originals"
            ) from error
        return {str(key): str(value) for key, value in values.items()}

    def save(self, values: Mapping[str, str]) -> None:
        try:
            if values:
                self._replace(json.dumps(dict(values), indent=1, sort_keys=True) + "\n")
            else:
                self.path.unlink(missing_ok=True)
        except OSError as error:
            raise OriginalsUnwritable(
                f"cannot keep the original sysctl values in {self.path} ({error}); "
                "make that directory writable"
            ) from error

    def _replace(self, text: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".new")
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            # Or a host that loses power may find the new name with nothing behind it.
            os.fsync(file.fileno())
        unfinished.replace(self.path)


class OriginalsUnreadable(Transient):
    """The file with the originals is there, but makes no sense."""


class OriginalsUnwritable(Transient):
    """The originals cannot be kept, so nothing was changed."""


def sync_sysctls(sysctl: Sysctl, originals: Originals, desired: Mapping[str, str]) -> Outcome:
    """Bring settings to *desired* and give those no longer desired their original value back.

    An original is kept before its setting is first written and forgotten after it was restored, so a kill at
    any point loses nothing. A setting that does not exist is passed over: its interface is not there, yet or
    any more.
    """
    try:
        kept = originals.load()
    except Transient as error:
        return Outcome("sysctls", failures=(error,))
    settings = _Settings(sysctl, originals, kept)
    for key, value in desired.items():
        settings.attempt("changed" if key in kept else "added", settings.set, key, value)
    for key in [key for key in kept if key not in desired]:
        settings.attempt("removed", settings.restore, key, kept[key])
    return Outcome("sysctls", failures=tuple(settings.failures), **settings.counts)


@dataclass(slots=True)
class _Settings:
    """One pass over the settings."""

    sysctl: Sysctl
    originals: Originals
    kept: dict[str, str]
    counts: dict[str, int] = field(default_factory=lambda: {"added": 0, "changed": 0, "removed": 0})
    failures: list[Transient] = field(default_factory=list)

    def attempt(self, verb: str, work: Callable[[str, str], bool], key: str, value: str) -> None:
        try:
            self.counts[verb] += work(key, value)
        except Transient as error:
            self.failures.append(error)

    def set(self, key: str, value: str) -> bool:
        """Whether the setting had to be written."""
        now = self.sysctl.read(key)
        if now is None or now == value:
            return False
        if key not in self.kept:
            self.originals.save({**self.kept, key: now})
            self.kept[key] = now
        self.sysctl.write(key, value)
        return True

    def restore(self, key: str, value: str) -> bool:
        """Whether the setting had to be written."""
        now = self.sysctl.read(key)
        is_changed = now is not None and now != value
        if is_changed:
            self.sysctl.write(key, value)
        del self.kept[key]
        self.originals.save(self.kept)
        return is_changed

"""Kernel settings in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from isthmus.dataplane.errors import Missing
from isthmus.reconcile.errors import Transient


@dataclass(slots=True)
class FakeSysctl:
    """Settings that exist are those in `values`."""

    values: dict[str, str] = field(default_factory=dict)
    writes: int = 0
    failures: list[tuple[str, Transient]] = field(default_factory=list)

    def fail_next(self, operation: str, error: Transient) -> None:
        """Refuse the next "read" or "write"."""
        self.failures.append((operation, error))

    def read(self, key: str) -> str | None:
        self._start("read")
        return self.values.get(key)

    def write(self, key: str, value: str) -> None:
        self._start("write")
        if key not in self.values:
            raise Missing(f"cannot set sysctl {key} to {value}: no such file or directory")
        self.writes += 1
        self.values[key] = value

    def _start(self, operation: str) -> None:
        if self.failures and self.failures[0][0] == operation:
            raise self.failures.pop(0)[1]


@dataclass(slots=True)
class FakeOriginals:
    """The kept originals in memory."""

    values: dict[str, str] = field(default_factory=dict)

    def load(self) -> dict[str, str]:
        return dict(self.values)

    def save(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)

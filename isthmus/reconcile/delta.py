"""The one comparison of what is wanted with what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Delta(Generic[K, V]):
    """The writes that lead from *actual* to *desired*; empty when they agree."""

    added: dict[K, V]
    changed: dict[K, V]
    removed: dict[K, V]

    @property
    def size(self) -> int:
        return len(self.added) + len(self.changed) + len(self.removed)

    def __bool__(self) -> bool:
        return self.size > 0


def diff(desired: Mapping[K, V], actual: Mapping[K, V]) -> Delta[K, V]:
    """Compare two states by key: `changed` holds the desired value, `removed` the actual one."""
    return Delta(
        added={key: value for key, value in desired.items() if key not in actual},
        changed={key: value for key, value in desired.items() if key in actual and actual[key] != value},
        removed={key: value for key, value in actual.items() if key not in desired},
    )

"""One measured figure as a value, and how figures are kept: JSON, a list of records.

A figure has a goal or is for information. Throughput and times depend on the machine, so goals are set for
ratios against something measured in the same run, for CPU time, for counts and for memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Result:
    """One figure; `goal` and `met` are None when it is for information, `against` says what it is held to."""

    name: str
    value: float
    unit: str
    goal: str | None
    met: bool | None
    against: str


def at_most(name: str, value: float, unit: str, limit: float, against: str) -> Result:
    """A figure that should not exceed *limit*."""
    return Result(name, rounded(value), unit, f"≤ {limit:g}", value <= limit, against)


def at_least(name: str, value: float, unit: str, limit: float, against: str) -> Result:
    """A figure that should reach *limit*."""
    return Result(name, rounded(value), unit, f"≥ {limit:g}", value >= limit, against)


def exactly(name: str, value: float, unit: str, wanted: float, against: str) -> Result:
    """A count that should be just *wanted*."""
    return Result(name, value, unit, f"= {wanted:g}", value == wanted, against)


def shown(name: str, value: float, unit: str, against: str) -> Result:
    """A figure for information."""
    return Result(name, rounded(value), unit, None, None, against)


def rounded(value: float) -> float:
    """Four significant digits: more would pretend to a precision that no measurement here has."""
    return float(f"{value:.4g}")


def dump(results: Iterable[Result]) -> str:
    """The JSON text of a list of figures."""
    return json.dumps([asdict(result) for result in results], indent=1, ensure_ascii=False) + "\n"


def parse(text: str) -> tuple[Result, ...]:
    """The reverse of `dump`."""
    return tuple(Result(**entry) for entry in json.loads(text))


def save(directory: Path, name: str, results: Sequence[Result]) -> None:
    """Write `<name>.json`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.json").write_text(dump(results), encoding="utf-8")


def load_all(directory: Path, names: Iterable[str]) -> tuple[Result, ...]:
    """The figures of these parts, of those that were ever measured, in this order."""
    paths = [directory / f"{name}.json" for name in names]
    return tuple(one for path in paths if path.exists() for one in parse(path.read_text(encoding="utf-8")))

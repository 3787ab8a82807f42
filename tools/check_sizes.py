"""Fail when a module grows past the house's ceiling: a file over 400 lines holds more than one idea."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("crds", "broker", "gateway", "routeagent", "isthmus", "tools", "bench", "tests")
CEILING = 400


def oversized(root: Path) -> list[tuple[Path, int]]:
    """Python files of the project with more than `CEILING` lines, largest first."""
    counts = [
        (path.relative_to(root), len(path.read_text(encoding="utf-8").splitlines()))
        for source in SOURCES
        for path in (root / source).rglob("*.py")
    ]
    return sorted((entry for entry in counts if entry[1] > CEILING), key=lambda entry: -entry[1])


def main() -> int:
    found = oversized(ROOT)
    for path, lines in found:
        print(f"{path}: {lines} lines, more than {CEILING}: split it by idea")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

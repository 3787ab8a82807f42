"""Fail when a module has no unit test of its own, or a unit test no module.

`isthmus/kube/store.py` is tested by `tests/unit/isthmus/kube/test_store.py`. Modules whose only content is
meeting the outside world are tested for real elsewhere; they are listed in `tools/tested_elsewhere.txt`, each
with the place of its test.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("crds", "broker", "gateway", "routeagent", "isthmus")
LIST = ROOT / "tools" / "tested_elsewhere.txt"


def modules(root: Path) -> set[str]:
    """Source files that hold code, relative to the root."""
    return {
        str(path.relative_to(root))
        for source in SOURCES
        for path in (root / source).rglob("*.py")
        if path.name != "__init__.py"
    }


def mirrored(root: Path) -> set[str]:
    """The source file that each unit test claims to test."""
    tests = root / "tests" / "unit"
    return {
        str(path.relative_to(tests).with_name(path.name.removeprefix("test_")))
        for path in tests.rglob("test_*.py")
    }


def exceptions(listing: str) -> dict[str, str]:
    """Parse lines of `module: place of its test`."""
    pairs = (line.split(":", 1) for line in listing.splitlines() if line and not line.startswith("#"))
    return {module.strip(): place.strip() for module, place in pairs}


def faults(root: Path, elsewhere: dict[str, str]) -> list[str]:
    """Everything that is out of step, as sentences."""
    sources, tests = modules(root), mirrored(root)
    found = [f"{path}: no unit test mirrors it" for path in sorted(sources - tests - elsewhere.keys())]
    found += [f"tests/unit: a test mirrors {path}, which does not exist" for path in sorted(tests - sources)]
    for module, place in sorted(elsewhere.items()):
        if module not in sources:
            found.append(f"{LIST.name}: {module} does not exist")
        elif module in tests:
            found.append(f"{LIST.name}: {module} has a unit test now; drop the line")
        elif not (root / place).exists():
            found.append(f"{LIST.name}: {module} names {place}, which does not exist")
    return found


def main() -> int:
    found = faults(ROOT, exceptions(LIST.read_text(encoding="utf-8")))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m bench [part ...]`: measure all parts or some, print and save the figures, draw the picture.

The exit code is 0 even if a goal is missed: a figure is not a test, and the table says so in red.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from bench import byhand, convergence, datapath, footprint, rig, scale
from bench.plot import draw
from bench.result import Result, load_all, save
from bench.table import render_table
from isthmus.lab.lab import Lab
from isthmus.lab.preflight import require_root
from isthmus.reconcile.errors import Fatal, Transient

RESULTS = Path(__file__).parent / "results"
PARTS = ("datapath", "convergence", "scale", "footprint")
WIDTH = 150


def main(arguments: Sequence[str]) -> int:
    """Run; the return value is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Isthmus on this machine.")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="part", help=", ".join(PARTS))
    parts = parser.parse_args(arguments).parts or PARTS
    console = Console(width=WIDTH)
    started = time.monotonic()

    def say(line: str) -> None:
        passed = time.monotonic() - started
        console.print(f"[dim]{passed:5.0f} s[/]  {line}", highlight=False)

    try:
        require_root()
        _run(parts, say)
    except (Fatal, Transient) as error:
        console.print(f"[red]the benchmarks stopped:[/] {error}", highlight=False)
        return 1
    results = load_all(RESULTS, PARTS)
    save(RESULTS, "results", results)
    draw(results, RESULTS / "results.png")
    for part in parts:
        console.print()
        console.print(render_table(part, load_all(RESULTS, [part])))
    say(f"saved in {RESULTS}")
    return 0


def _run(parts: Sequence[str], say: Callable[[str], None]) -> None:
    if "scale" in parts:
        save(RESULTS, "scale", scale.measure(say))
    if set(parts) - {"scale"}:
        with rig.joined_lab(say) as lab:
            _run_on(lab, parts, say)


def _run_on(lab: Lab, parts: Sequence[str], say: Callable[[str], None]) -> None:
    if "convergence" in parts:
        save(RESULTS, "convergence", convergence.measure(lab, say))
    if "footprint" in parts:
        save(RESULTS, "footprint", footprint.measure(lab, say))
    if "datapath" in parts:
        save(RESULTS, "datapath", _datapath(lab, say))


def _datapath(lab: Lab, say: Callable[[str], None]) -> list[Result]:
    comparison = byhand.compared(lab)
    byhand.build_all(comparison)
    say("sites by hand are up: one encrypted, one in the clear")
    return datapath.measure(comparison, say)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""One picture of a run: the data path's ratios, convergence times, and the load of scale."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes

from bench.result import Result

PANELS: tuple[tuple[str, str], ...] = (
    ("Mbit/s", "TCP throughput (Mbit/s)"),
    ("ms", "Round trip (ms)"),
    ("s", "Convergence (s)"),
    ("ms CPU", "One change among 1,000 clusters (ms CPU)"),
)
_OURS, _MISSED = "#2a6f97", "#c1440e"


def draw(results: Sequence[Result], path: Path) -> None:
    """Write the picture: one panel per unit, a bar per figure; bars that miss their goal are red."""
    figure, panels = pyplot.subplots(2, 2, figsize=(13, 8), layout="constrained")
    for axes, (unit, title) in zip(panels.flat, PANELS, strict=True):
        _panel(axes, title, [one for one in results if one.unit == unit])
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def _panel(axes: Axes, title: str, results: Sequence[Result]) -> None:
    axes.set_title(title)
    names = [one.name for one in results]
    colours = [_MISSED if one.met is False else _OURS for one in results]
    bars = axes.barh(names, [one.value for one in results], color=colours)
    axes.bar_label(bars, labels=[f"{one.value:g}" for one in results], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.15)

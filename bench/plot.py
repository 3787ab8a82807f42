"""One picture of a run: the data path's ratios, convergence times, and the load of scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes

from bench.result import Result


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the picture's parts: the figures of one unit; *scale* is the axis' ("log" for wide ranges)."""

    unit: str
    title: str
    scale: str = "linear"


PANELS = (
    Panel("Mbit/s", "TCP throughput, Mbit/s (log)", "log"),
    Panel("ms", "Round trip, ms (log)", "log"),
    Panel("s", "Convergence, s"),
    Panel("ms CPU", "Planning a change, ms CPU"),
)
_OURS, _MISSED = "#2a6f97", "#c1440e"


def draw(results: Sequence[Result], path: Path) -> None:
    """Write the picture: one panel per unit, a bar per figure; bars that miss their goal are red."""
    figure, panels = pyplot.subplots(2, 2, figsize=(13, 8), layout="constrained")
    for axes, panel in zip(panels.flat, PANELS, strict=True):
        _fill(axes, panel, [one for one in results if one.unit == panel.unit])
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def _fill(axes: Axes, panel: Panel, results: Sequence[Result]) -> None:
    axes.set_title(panel.title)
    axes.set_xscale(panel.scale)
    names = [one.name for one in results]
    colours = [_MISSED if one.met is False else _OURS for one in results]
    bars = axes.barh(names, [one.value for one in results], color=colours)
    axes.bar_label(bars, labels=[f"{one.value:g}" for one in results], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.2)

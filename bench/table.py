"""Figures as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from bench.result import Result

_VERDICTS = {None: "", True: "[green]met[/]", False: "[red]missed[/]"}


def render_table(title: str, results: Iterable[Result]) -> Table:
    """One row per figure."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("goal", justify="right")
    table.add_column("")
    table.add_column("against")
    for one in results:
        table.add_row(one.name, f"{one.value:g}", one.unit, one.goal or "", _VERDICTS[one.met], one.against)
    return table

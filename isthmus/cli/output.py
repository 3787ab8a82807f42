"""What a user sees: progress on stderr, results on stdout.

A command reports each step with `Progress` and hands its result to `print_rows`; neither knows Kubernetes.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TextIO

_WIDE = (240, 50)


class Format(StrEnum):
    """Forms in which `show` prints."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True, slots=True)
class Table:
    """One result: what a person reads in `rows`, what a program reads in `data`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    data: tuple[dict[str, Any], ...]


class Progress:
    """Writes one line per step, with a mark for how it went."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def done(self, text: str) -> None:
        self._line("✓", text)

    def failed(self, text: str) -> None:
        self._line("✗", text)

    def warned(self, text: str) -> None:
        self._line("⚠", text)

    def said(self, text: str) -> None:
        self._line(" ", text)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Announce a step that takes a while, then mark how it ended; the error goes on to the caller."""
        if self._stream.isatty():
            self._stream.write(f" • {text} …\r")
            self._stream.flush()
        try:
            yield
        except BaseException:
            self.failed(text)
            raise
        self.done(text)

    def _line(self, mark: str, text: str) -> None:
        self._stream.write(f" {mark} {text}".rstrip() + self._erase() + "\n")
        self._stream.flush()

    def _erase(self) -> str:
        return "\x1b[K" if self._stream.isatty() else ""


def to_stderr() -> Progress:
    """Return the progress writer of a command line."""
    return Progress(sys.stderr)


def render_table(table: Table, *, width: int | None = None) -> str:
    """Lay out a table for a person; a narrow terminal folds long cells rather than losing their end.

    *width* is that of the terminal unless given; what is not a terminal is wide.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable

    grid = RichTable(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in table.columns:
        grid.add_column(column, overflow="fold")
    for row in table.rows:
        grid.add_row(*row)
    columns = width or shutil.get_terminal_size(_WIDE).columns
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(file=nowhere, width=columns, markup=False, highlight=False, emoji=False)
        with console.capture() as captured:
            console.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n") + "\n"


def render_data(results: Mapping[str, Sequence[dict[str, Any]]], form: Format) -> str:
    """Print results by cluster as one JSON or YAML document."""
    document = {cluster: list(items) for cluster, items in results.items()}
    if form is Format.JSON:
        return json.dumps(document, indent=2) + "\n"
    import yaml

    return yaml.safe_dump(document, sort_keys=False)

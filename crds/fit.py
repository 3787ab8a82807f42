"""Keeps a status small enough for an API server, whatever members publish and however many are refused.

A status that is too large could not be written at all: then nobody would be told anything, and a gateway
without a fresh status counts as dead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from crds.echo import canonical_json, echo_endpoint

MOST_BYTES = 1_000_000
"""Of all entries together; etcd takes requests of 1.5 MiB."""

LONGEST_ENTRY = 8_000
"""Bytes; in a longer one the Endpoint's spec is shown by its echo (crds.echo)."""


def fit(entries: Iterable[dict[str, Any]], spec_field: str) -> tuple[list[dict[str, Any]], int]:
    """Return the entries that find room, in their order, and how many do not; *spec_field* holds the spec."""
    shown = []
    left_out = 0
    room = MOST_BYTES
    for whole in entries:
        entry, size = whole, _size(whole)
        if size > LONGEST_ENTRY:
            entry = whole | {spec_field: json.loads(echo_endpoint(whole[spec_field]))}
            size = _size(entry)
        if size > room:
            left_out += 1
        else:
            room -= size
            shown.append(entry)
    return shown, left_out


def failure_text(failure: str, left_out: int, kind: str) -> str:
    """Return a `statusFailure` that also tells how many entries of *kind* are left out."""
    note = f"{left_out} more {kind} find no room in this status" if left_out else ""
    return "; ".join(filter(None, (failure, note)))


def _size(value: object) -> int:
    return len(canonical_json(value).encode())

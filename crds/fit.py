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

LONGEST_SPEC = 8_000
"""Bytes of one Endpoint's spec; a longer one is shown by its echo (crds.echo)."""


def fit(entries: Iterable[dict[str, Any]], spec_field: str) -> tuple[list[dict[str, Any]], int]:
    """Return the entries that find room, in their order, and how many do not; *spec_field* holds the spec."""
    shown = []
    left_out = 0
    room = MOST_BYTES
    for entry in entries:
        kept = _with_short_spec(entry, spec_field)
        size = _size(kept)
        if size > room:
            left_out += 1
        else:
            room -= size
            shown.append(kept)
    return shown, left_out


def failure_text(failure: str, left_out: int, kind: str) -> str:
    """Return a `statusFailure` that also tells how many entries of *kind* are left out."""
    note = f"{left_out} more {kind} find no room in this status" if left_out else ""
    return "; ".join(filter(None, (failure, note)))


def _with_short_spec(entry: dict[str, Any], spec_field: str) -> dict[str, Any]:
    spec = entry[spec_field]
    return entry if _size(spec) <= LONGEST_SPEC else {**entry, spec_field: json.loads(echo_endpoint(spec))}


def _size(value: object) -> int:
    return len(canonical_json(value).encode())

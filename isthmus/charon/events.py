"""VICI's events as records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from isthmus.charon.api import CharonEvent, LogLine, SaChanged

EVENT_TYPES = ("ike-updown", "child-updown", "log")


def parse_event(kind: str, body: Mapping[str, Any]) -> Iterator[CharonEvent]:
    """The records of one event; lines about no connection say nothing to us."""
    match kind:
        case "log":
            name = _text(body, "ikesa-name")
            if name:
                yield LogLine(connection=name, text=_text(body, "msg"))
        case "ike-updown" | "child-updown":
            up = _text(body, "up") == "yes"
            for name, section in body.items():
                if isinstance(section, Mapping):
                    yield SaChanged(connection=name, up=up, child=kind == "child-updown")


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key, b"")
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)

"""How a refused Endpoint is still shown: its spec as short JSON text that any status schema accepts.

A Gateway's status repeats the spec of each peer. A spec that was refused may hold anything, so the echo keeps
what has the right type, shortens what is long and fills in what is required. Nothing acts on an echo.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 253
"""Characters kept of one string."""

LONGEST_LIST = 8
"""Items kept of one list or mapping."""

_TEXT_FIELDS = ("cluster_id", "cable_name", "hostname", "private_ip", "public_ip", "backend")
_OPTIONAL_TEXT_FIELDS = ("healthCheckIP",)


def echo_endpoint(spec: object) -> str:
    """Return canonical JSON text that shows *spec*, whatever it is."""
    raw: Mapping[Any, Any] = spec if isinstance(spec, Mapping) else {}
    shown: dict[str, Any] = {field: _short(raw.get(field, "")) for field in _TEXT_FIELDS}
    shown |= {field: _short(raw[field]) for field in _OPTIONAL_TEXT_FIELDS if raw.get(field)}
    shown["nat_enabled"] = raw.get("nat_enabled") is True
    shown["subnets"] = _short_list(raw.get("subnets"))
    shown["backend_config"] = _short_mapping(raw.get("backend_config"))
    return canonical_json(shown)


def echo_cluster(cluster_id: str) -> str:
    """Return an echo that names only the cluster, for a refusal that is not about an Endpoint."""
    return echo_endpoint({"cluster_id": cluster_id})


def canonical_json(value: object) -> str:
    """Return the one JSON text of *value*: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def shorten(text: str, longest: int = LONGEST_TEXT) -> str:
    """Cut *text* from outside to *longest* characters and replace what a terminal would act on."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in text[: longest + 1])
    return printable if len(printable) <= longest else printable[: longest - 1] + "…"


def _short(value: object) -> str:
    return shorten(value if isinstance(value, str) else _json_head(value))


def _json_head(value: object) -> str:
    if isinstance(value, (list, Mapping)):
        return f"({type(value).__name__} of {len(value)})"
    return canonical_json(value)


def _short_list(value: object) -> list[str]:
    if not isinstance(value, list):
        return []
    shown = [_short(item) for item in value[:LONGEST_LIST]]
    return shown if len(value) <= LONGEST_LIST else [*shown, f"… and {len(value) - LONGEST_LIST} more"]


def _short_mapping(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {_short(key): _short(value[key]) for key in sorted(value, key=str)[:LONGEST_LIST]}

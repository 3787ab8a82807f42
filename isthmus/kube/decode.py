"""An API server's JSON as values that cannot overwhelm us.

API servers keep what is nested up to 10,000 deep in fields that they do not know. Whatever decodes, encodes
or compares values here recurses, and at about 1,000 levels the process would end: one object of one member
would stop the daemons of all. So what lies deeper than any object needs is cut off where the text comes in.
"""

from __future__ import annotations

import json
import re
from typing import Any

DEEPEST = 100
"""Levels of lists and objects that are kept; a Kubernetes object with its schema needs about 30."""

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{}]', re.DOTALL)


def decode(text: bytes) -> Any:
    """Return the value of JSON text; lists and objects below level DEEPEST come out empty.

    Raises ValueError for text that is not JSON.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        return json.loads(_cut(text))
    return value if _is_shallow(value) else json.loads(_cut(text))


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]
        if not level:
            return True
    return False


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _cut(text: bytes) -> bytes:
    kept = []
    depth = start = 0
    for token in _TOKEN.finditer(text):
        if token[0] in b"[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept.append(text[start : token.end()])
        elif token[0] in b"]}":
            if depth == DEEPEST + 1:
                start = token.start()
            depth -= 1
    return b"".join([*kept, text[start:]])

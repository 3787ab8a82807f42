"""What an API server does to objects without remembering anything: patches, selectors, names."""

from __future__ import annotations

import copy
import re
from typing import Any

from isthmus.kube.api import Object

NAME = re.compile(r"[a-z0-9]([-a-z0-9.:]*[a-z0-9])?")
"""RFC 1123 subdomains, and the colons that RBAC names may hold."""

SYSTEM_FIELDS = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation")


def is_name(name: object) -> bool:
    return isinstance(name, str) and len(name) <= 253 and NAME.fullmatch(name) is not None


def matches(selector: str, item: Object) -> bool:
    """Whether the labels satisfy `a=b`, `a==b`, `a!=b`, `a` and `!a` terms, separated by commas."""
    labels = item["metadata"].get("labels") or {}
    return all(_term_holds(term.strip(), labels) for term in selector.split(",") if term.strip())


def _term_holds(term: str, labels: dict[str, str]) -> bool:
    if " " in term or "(" in term:
        raise NotImplementedError(f"the fake API server does not know set based selectors: {term}")
    if "!=" in term:
        key, value = term.split("!=")
        return labels.get(key) != value
    if "=" in term:
        key, value = term.replace("==", "=").split("=")
        return labels.get(key) == value
    return term[1:] not in labels if term.startswith("!") else term in labels


def merge(target: Any, patch: Any) -> Any:
    """JSON merge patch, RFC 7386: null removes, objects merge, anything else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def without_dropped(target: Any, before: Any, now: Any) -> Any:
    """Remove from *target* the fields that the last apply set and this one no longer mentions."""
    if not (isinstance(target, dict) and isinstance(before, dict) and isinstance(now, dict)):
        return target
    kept = {key: value for key, value in target.items() if key not in before or key in now}
    return {key: without_dropped(value, before.get(key), now.get(key)) for key, value in kept.items()}


def content(item: Object) -> Object:
    """The object without what the server itself sets."""
    stripped = copy.deepcopy(item)
    for name in SYSTEM_FIELDS:
        stripped["metadata"].pop(name, None)
    return stripped

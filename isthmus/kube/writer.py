"""Bring one object to what we want, writing only if it differs; delete what we no longer want.

Of our own kinds (submariner.io) and of rights (RBAC) every field that we set is ours as a whole: a key that
we drop, such as a right, goes away. In other kinds the server and other controllers add fields, so there
only what we set is compared and written.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from crds.meta import GROUP
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.errors import AlreadyExists, Conflict, NotFound
from isthmus.kube.resources import Resource

WHOLE_GROUPS = frozenset({GROUP, "rbac.authorization.k8s.io"})
Result = Literal["created", "changed", "unchanged"]

ATTEMPTS = 3
"""Tries when another writer is faster between our read and our write; after that the caller's next pass."""


async def ensure(api: KubeApi, resource: Resource, body: Object) -> Result:
    """Create the object, or change it where it differs from *body*; raises `ApiError` if that is refused."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await _ensure_once(api, resource, body)
        except (AlreadyExists, Conflict):
            continue
    return await _ensure_once(api, resource, body)


async def _ensure_once(api: KubeApi, resource: Resource, body: Object) -> Result:
    namespace, name = body["metadata"].get("namespace"), body["metadata"]["name"]
    try:
        stored = await api.get(resource, namespace, name)
    except NotFound:
        await api.create(resource, namespace, body)
        return "created"
    wanted = merged(resource, stored, body)
    if wanted == stored:
        return "unchanged"
    await api.replace(resource, namespace, name, wanted)
    return "changed"


def merged(resource: Resource, stored: Object, body: Object) -> Object:
    """What *stored* becomes by our *body*; equal to *stored* when nothing needs to be written."""
    ours = resource.group in WHOLE_GROUPS
    result = dict(stored)
    for field, value in body.items():
        whole = ours and field != "metadata"
        result[field] = value if whole else _overlay(stored.get(field), value)
    return result


def _overlay(stored: Any, wanted: Any) -> Any:
    """Put *wanted* over *stored*: objects field by field, lists of the same length item by item."""
    if isinstance(wanted, dict) and isinstance(stored, dict):
        return stored | {key: _overlay(stored.get(key), value) for key, value in wanted.items()}
    if isinstance(wanted, list) and isinstance(stored, list) and len(wanted) == len(stored):
        return [_overlay(before, after) for before, after in zip(stored, wanted, strict=True)]
    return wanted


async def remove(api: KubeApi, resource: Resource, namespace: str | None, name: str) -> bool:
    """Delete an object if it is there; True if it was."""
    try:
        await api.delete(resource, namespace, name)
    except NotFound:
        return False
    return True


async def prune(
    api: KubeApi, resource: Resource, namespace: str | None, keep: Collection[str], label_selector: str
) -> tuple[str, ...]:
    """Delete the selected objects whose names are not to *keep*; return the names of those deleted.

    Only the objects that were listed go: one that was created anew meanwhile stays.
    """
    listing = await api.list(resource, namespace, label_selector=label_selector)
    removed = []
    for item in listing.items:
        metadata = item["metadata"]
        if metadata["name"] in keep:
            continue
        try:
            await api.delete(resource, metadata.get("namespace"), metadata["name"], uid=metadata.get("uid"))
        except (NotFound, Conflict):
            continue
        removed.append(metadata["name"])
    return tuple(removed)

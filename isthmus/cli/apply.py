"""Brings a cluster to hold the objects that a command wants, and says of each whether that was a change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crds.schemas import load_schemas
from isthmus.cli.faults import Fault
from isthmus.cli.output import Progress
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.errors import AlreadyExists, NoSuchKind, NotFound
from isthmus.kube.resources import CRDS, NAMESPACES, RESOURCE_BY_KIND, Resource
from isthmus.kube.writer import ensure
from isthmus.reconcile.clock import Clock

_POLL_SECONDS = 0.1
_POLLS = 300


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster being written: its API, the way to tell its user, and the time."""

    api: KubeApi
    progress: Progress
    clock: Clock


async def apply_objects(target: Target, title: str, objects: Iterable[Object]) -> int:
    """Create or repair *objects* in order; report them as one step and return how many were written."""
    written: list[str] = []
    total = 0
    for body in objects:
        total += 1
        result = await ensure(target.api, RESOURCE_BY_KIND[body["kind"]], body)
        if result != "unchanged":
            written.append(f"{body['kind']} {body['metadata']['name']} {result}")
    detail = _detail(written, total)
    target.progress.done(f"{title}: {detail}")
    return len(written)


def _detail(written: Sequence[str], total: int) -> str:
    if not written:
        return "unchanged"
    if len(written) == total and all(line.endswith(" created") for line in written):
        return "created"
    return ", ".join(written)


async def apply_schemas(target: Target, kinds: Sequence[Resource]) -> None:
    """Install the CustomResourceDefinitions and wait until the API server serves them.

    Raises:
        Fault: it does not within half a minute.
    """
    await apply_objects(target, "Custom resource definitions", load_schemas())
    for kind in kinds:
        for _ in range(_POLLS):
            try:
                await target.api.list(kind, "default")
                break
            except NoSuchKind:
                await target.clock.sleep(_POLL_SECONDS)
        else:
            raise Fault(
                f"the API server at {target.api.server} does not serve {kind} though its definition is "
                f"installed: look at 'kubectl describe crd {kind}'"
            )


async def ensure_namespace(target: Target, body: Object) -> None:
    """Create a namespace when it is missing.

    An existing one stays as it is: its labels may be someone's.

    Raises:
        Fault: the namespace is being deleted.
    """
    name = body["metadata"]["name"]
    try:
        found = await target.api.get(NAMESPACES, None, name)
    except NotFound:
        try:
            await target.api.create(NAMESPACES, None, body)
            target.progress.done(f"Namespace {name}: created")
        except AlreadyExists:
            target.progress.done(f"Namespace {name}: unchanged")
        return
    if found["metadata"].get("deletionTimestamp"):
        raise Fault(f"namespace {name} is just being deleted: wait until it is gone, then run this again")
    target.progress.done(f"Namespace {name}: unchanged")


async def delete_object(api: KubeApi, resource: Resource, namespace: str | None, name: str) -> bool:
    """Delete one object; False if it was gone already, or its kind with it."""
    try:
        await api.delete(resource, namespace, name)
    except (NotFound, NoSuchKind):
        return False
    return True


async def installed_schemas(api: KubeApi) -> tuple[str, ...]:
    """Names of our CustomResourceDefinitions that the cluster has."""
    ours = {schema["metadata"]["name"] for schema in load_schemas()}
    return tuple(
        item["metadata"]["name"] for item in (await api.list(CRDS)).items if item["metadata"]["name"] in ours
    )

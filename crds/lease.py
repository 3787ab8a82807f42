"""The Lease that decides which gateway leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crds.fields import mapping, object_fields, parse_time
from crds.meta import ObjectRef

KIND = "Lease"
API_VERSION = "coordination.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Lease:
    """Who leads, since when and for how long; `holder` is "" when nobody does.

    `resource_version` is the version that was read: a write carries it, so that of two candidates one loses.
    """

    ref: ObjectRef
    holder: str = ""
    duration_seconds: int = 0
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    transitions: int = 0
    resource_version: str = ""


def parse_lease(raw: Mapping[str, Any]) -> Lease:
    """Return the record of a Lease; absent fields count as not held. Raises Invalid only without a name."""
    whole = object_fields(raw, KIND)
    spec = mapping(raw.get("spec"))
    return Lease(
        ref=whole.ref,
        holder=str(spec.get("holderIdentity") or ""),
        duration_seconds=_count(spec.get("leaseDurationSeconds")),
        acquire_time=parse_time(spec.get("acquireTime")),
        renew_time=parse_time(spec.get("renewTime")),
        transitions=_count(spec.get("leaseTransitions")),
        resource_version=str(mapping(raw.get("metadata")).get("resourceVersion") or ""),
    )


def render_lease(lease: Lease) -> dict[str, Any]:
    """Return the Lease to write; times carry microseconds, as the API's MicroTime wants them."""
    metadata: dict[str, Any] = {"name": lease.ref.name, "namespace": lease.ref.namespace}
    if lease.resource_version:
        metadata["resourceVersion"] = lease.resource_version
    spec: dict[str, Any] = {"holderIdentity": lease.holder, "leaseTransitions": lease.transitions}
    if lease.duration_seconds:
        spec["leaseDurationSeconds"] = lease.duration_seconds
    if lease.acquire_time is not None:
        spec["acquireTime"] = render_micro_time(lease.acquire_time)
    if lease.renew_time is not None:
        spec["renewTime"] = render_micro_time(lease.renew_time)
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}


def render_micro_time(time: datetime) -> str:
    """Return *time* as RFC 3339 in UTC with six digits after the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0

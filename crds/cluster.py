"""The Cluster object: a member's id and the networks that belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crds.echo import echo_cluster
from crds.fields import Fields, created_at, mapping, object_fields, origin_of
from crds.meta import API_VERSION, ClusterId, IPNetwork, ObjectRef

KIND = "Cluster"

_CLUSTER_ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Cluster:
    """One member: what it may publish Endpoint subnets of.

    `created` is the time of this copy, not of the original: metadata does not cross the broker. `origin` is
    the cluster that a remote copy came from, None for the cluster's own object.
    """

    ref: ObjectRef
    cluster_id: ClusterId
    service_cidrs: tuple[IPNetwork, ...]
    cluster_cidrs: tuple[IPNetwork, ...]
    global_cidrs: tuple[IPNetwork, ...]
    created: datetime | None
    origin: str | None = None

    @property
    def cidrs(self) -> tuple[IPNetwork, ...]:
        """All networks of the member: services, pods, global addresses."""
        return self.service_cidrs + self.cluster_cidrs + self.global_cidrs


def parse_cluster(raw: Mapping[str, Any]) -> Cluster:
    """Return the record of a Cluster object. Raises Invalid with the first fault."""
    whole = object_fields(raw, KIND, echo_cluster(str(mapping(raw.get("metadata")).get("name") or "")))
    spec = whole.child("spec")
    return Cluster(
        ref=whole.ref,
        cluster_id=parse_cluster_id(spec),
        service_cidrs=spec.networks("service_cidr"),
        cluster_cidrs=spec.networks("cluster_cidr"),
        global_cidrs=spec.networks("global_cidr"),
        created=created_at(raw),
        origin=origin_of(raw),
    )


def render_cluster(
    cluster_id: ClusterId,
    service_cidrs: Iterable[IPNetwork],
    cluster_cidrs: Iterable[IPNetwork],
    global_cidrs: Iterable[IPNetwork],
    namespace: str,
) -> dict[str, Any]:
    """Return the object that announces a member. Its lists are never null: the schema refuses that."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": cluster_id, "namespace": namespace},
        "spec": {
            "cluster_id": cluster_id,
            "color_codes": ["blue"],
            "service_cidr": [str(network) for network in service_cidrs],
            "cluster_cidr": [str(network) for network in cluster_cidrs],
            "global_cidr": [str(network) for network in global_cidrs],
        },
    }


def is_cluster_id(text: str) -> bool:
    """Tell whether *text* can be a cluster id: an RFC 1123 label."""
    return _CLUSTER_ID.fullmatch(text) is not None


def parse_cluster_id(spec: Fields) -> ClusterId:
    """Return the `cluster_id` of a spec. Raises Invalid."""
    text = spec.text("cluster_id", 63)
    if not is_cluster_id(text):
        reason = f'"{text}" is not a cluster id; use lower-case letters, digits and inner dashes'
        raise spec.refusal("cluster_id", reason)
    return ClusterId(text)

"""What of an object crosses the broker, and what a copy of it looks like.

A copy keeps name, labels, annotations and everything outside of metadata, unknown fields included. It lies
in the namespace of its side and carries the id of the cluster that the original is from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from crds.cluster import KIND as CLUSTER
from crds.cluster import parse_cluster
from crds.echo import canonical_json, echo_cluster
from crds.endpoint import KIND as ENDPOINT
from crds.endpoint import EndpointEcho, EndpointSpec, parse_endpoint
from crds.meta import CLUSTER_ID_LABEL, ClusterId, Invalid, ObjectRef
from isthmus.membership.judge import Refusal, refusal_of_invalid

ItemKey = tuple[str, str]
"""(kind, name), which is the same on both sides."""


@dataclass(frozen=True, slots=True)
class SyncItem:
    """One Cluster or Endpoint of one side.

    `origin` is the clusterID label, `claimed` the id in the spec. `body` is the canonical JSON text of what
    crosses, so that equal objects are equal values; "" when `refusal` says why nothing of it may cross.
    """

    ref: ObjectRef
    origin: str | None
    claimed: str
    body: str
    shown: EndpointSpec | EndpointEcho
    refusal: Refusal | None = None

    @property
    def key(self) -> ItemKey:
        return self.ref.kind, self.ref.name


def read_cluster(raw: dict[str, Any]) -> SyncItem:
    """Return the item of a Cluster object."""
    try:
        record = parse_cluster(raw)
    except Invalid as error:
        return _refused(raw, CLUSTER, error)
    shown = EndpointEcho(echo_cluster(record.cluster_id))
    return SyncItem(record.ref, record.origin, record.cluster_id, _body(raw), shown)


def read_endpoint(raw: dict[str, Any]) -> SyncItem:
    """Return the item of an Endpoint object."""
    try:
        record = parse_endpoint(raw)
    except Invalid as error:
        return _refused(raw, ENDPOINT, error)
    return SyncItem(record.ref, record.origin, record.spec.cluster_id, _body(raw), record.spec)


def outgoing(item: SyncItem, cluster_id: ClusterId) -> SyncItem:
    """Return the broker's copy of this cluster's own *item*."""
    content = json.loads(item.body)
    content["labels"] = {**content["labels"], CLUSTER_ID_LABEL: cluster_id}
    return replace(item, origin=cluster_id, body=canonical_json(content))


def render(item: SyncItem, namespace: str, existing: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the object to write; metadata of *existing* other than labels and annotations is kept."""
    content = json.loads(item.body)
    metadata = dict((existing or {}).get("metadata", {}))
    metadata |= {"name": item.ref.name, "namespace": namespace}
    metadata |= {"labels": content["labels"], "annotations": content["annotations"]}
    return {**content["object"], "metadata": metadata}


def _body(raw: Mapping[str, Any]) -> str:
    metadata = raw["metadata"]
    return canonical_json(
        {
            "labels": metadata.get("labels") or {},
            "annotations": metadata.get("annotations") or {},
            "object": {field: value for field, value in raw.items() if field != "metadata"},
        }
    )


def _refused(raw: Mapping[str, Any], kind: str, error: Invalid) -> SyncItem:
    refusal = refusal_of_invalid(error)
    ref = error.rejection.ref
    labels = (raw.get("metadata") or {}).get("labels") or {}
    return SyncItem(
        ref=replace(ref, kind=kind),
        origin=labels.get(CLUSTER_ID_LABEL),
        claimed=refusal.cluster_id,
        body="",
        shown=refusal.endpoint,
        refusal=refusal,
    )

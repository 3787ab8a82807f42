"""Everything that the gateway's planners may see, frozen at the beginning of a pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from crds.cluster import Cluster
from crds.endpoint import Endpoint
from crds.meta import ClusterId, Invalid
from isthmus.kube.store import Store, StoreView

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The members' objects in this cluster; `synced` once every kind was listed in full.

    `troubles` names the watches that do not work at the moment: the objects are then the last known ones.
    """

    clusters: tuple[Cluster, ...]
    endpoints: tuple[Endpoint, ...]
    invalid: tuple[Invalid, ...]
    synced: bool
    troubles: tuple[str, ...]

    def own_endpoints(self, cluster_id: ClusterId) -> tuple[Endpoint, ...]:
        """Endpoints that gateways of this cluster have published."""
        return tuple(
            one for one in self.endpoints if one.origin is None and one.spec.cluster_id == cluster_id
        )


@dataclass(frozen=True, slots=True)
class Members:
    """This cluster's copies of all members' objects."""

    clusters: Store[Cluster]
    endpoints: Store[Endpoint]

    def snapshot(self) -> Snapshot:
        """What is known now."""
        return take_snapshot(self.clusters.view(), self.endpoints.view())


def take_snapshot(clusters: StoreView[Cluster], endpoints: StoreView[Endpoint]) -> Snapshot:
    """Freeze both stores; objects are in the order of their names."""
    return Snapshot(
        clusters=_sorted(clusters.records),
        endpoints=_sorted(endpoints.records),
        invalid=clusters.invalid + endpoints.invalid,
        synced=clusters.synced and endpoints.synced,
        troubles=tuple(view.error for view in (clusters, endpoints) if view.error),
    )


def _sorted(records: Mapping[tuple[str, str], R]) -> tuple[R, ...]:
    return tuple(records[key] for key in sorted(records))

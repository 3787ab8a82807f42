"""May this cluster join under this id? Judges what the cluster and the broker hold already. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crds.cluster import Cluster
from crds.meta import ClusterId
from isthmus.cli.faults import Fault
from isthmus.cli.names import CLUSTER_UID_ANNOTATION


@dataclass(frozen=True, slots=True)
class Joined:
    """What an earlier join left in the cluster: the id, the broker, and the ranges as they were given."""

    cluster_id: ClusterId
    broker_server: str
    broker_namespace: str
    cluster_cidr: str
    service_cidr: str


def read_joined(config: Mapping[str, Any] | None) -> Joined | None:
    """Read the ConfigMap of an earlier join; None when there was none."""
    data = (config or {}).get("data") or {}
    cluster_id = data.get("SUBMARINER_CLUSTERID", "")
    if not cluster_id:
        return None
    return Joined(
        cluster_id=ClusterId(cluster_id),
        broker_server=data.get("BROKER_K8S_APISERVER", ""),
        broker_namespace=data.get("BROKER_K8S_REMOTENAMESPACE", ""),
        cluster_cidr=data.get("SUBMARINER_CLUSTERCIDR", ""),
        service_cidr=data.get("SUBMARINER_SERVICECIDR", ""),
    )


def refuse_other_id(wanted: ClusterId, joined: Joined | None) -> None:
    """Refuse to give a member a second id.

    Raises:
        Fault: the cluster is a member under another id.
    """
    if joined is not None and joined.cluster_id != wanted:
        raise Fault(
            f"this cluster is a member already, as {joined.cluster_id!r}: run 'isthmus leave' first, or join "
            f"again with --clusterid {joined.cluster_id}"
        )


def refuse_used_id(
    cluster_id: ClusterId, cluster_uid: str, account: Mapping[str, Any] | None, members: Sequence[Cluster]
) -> None:
    """Refuse an id that another cluster uses at the broker.

    *account* is the id's ServiceAccount at the broker: it carries the uid of the cluster it was made for, so
    that a cluster which joins again, even after an interrupted join, is not taken for a stranger.

    Raises:
        Fault: the id belongs to another cluster.
    """
    owner = (((account or {}).get("metadata") or {}).get("annotations") or {}).get(CLUSTER_UID_ANNOTATION, "")
    if owner == cluster_uid:
        return
    if account is None and all(member.cluster_id != cluster_id for member in members):
        return
    raise Fault(
        f"cluster id {cluster_id!r} is used by another cluster at this broker: choose another with "
        f"--clusterid, or let that cluster leave first ('isthmus leave' there)"
    )

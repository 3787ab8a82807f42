"""What must be written on which side, given all objects of both.

    own objects (no label, our id)  ──► broker, labelled with our id
    objects of other members        ──► this cluster, label kept

Whatever else carries our id at the broker, or any label here, has lost its original and goes. What a member
publishes under a false name is not copied: it would be taken for another's, or for ours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from broker.transform import ItemKey, SyncItem, outgoing
from crds import cluster as cluster_kind
from crds.meta import CLUSTER_ID_LABEL, ClusterId
from isthmus.membership.fault import Fault
from isthmus.membership.judge import Refusal
from isthmus.membership.screen import origin_fault
from isthmus.reconcile.delta import Delta, diff

Items = Mapping[ItemKey, SyncItem]


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """The writes to each side, the objects at the broker that are not copied, and our own as copied there."""

    up: Delta[ItemKey, SyncItem]
    down: Delta[ItemKey, SyncItem]
    refusals: tuple[Refusal, ...]
    announced: Items


def plan_sync(
    cluster_id: ClusterId, local: Items, broker: Items, expected: Collection[ItemKey] = ()
) -> SyncPlan:
    """Compare both sides. The same two sets of objects always give the same plan.

    What is *expected* here stays at the broker even while it is missing here: whoever deleted it cannot have
    meant to, and it is about to be written again.
    """
    own = {key: item for key, item in local.items() if _is_own(item, cluster_id)}
    announced = {key: outgoing(item, cluster_id) for key, item in own.items() if item.refusal is None}
    # A member's object names are its own by rights: whoever holds one of ours at the broker is replaced.
    at_broker = {
        key: item
        for key, item in broker.items()
        if key in announced or (item.origin == cluster_id and key not in expected)
    }

    honoured: dict[ItemKey, SyncItem] = {}
    refusals = []
    for key, item in broker.items():
        if item.origin == cluster_id:
            continue
        refusal = _refusal(item, cluster_id, taken=key in local and local[key].origin is None)
        if refusal is None:
            honoured[key] = item
        else:
            refusals.append(refusal)
    copies = {key: item for key, item in local.items() if item.origin is not None}
    return SyncPlan(
        up=_compare(announced, at_broker),
        down=_compare(honoured, copies),
        refusals=tuple(sorted(refusals, key=lambda each: each.rejection)),
        announced=announced,
    )


def _is_own(item: SyncItem, cluster_id: ClusterId) -> bool:
    return item.origin is None and item.claimed == cluster_id


def _compare(wanted: Items, found: Items) -> Delta[ItemKey, SyncItem]:
    """Compare by what crosses only: reference and creation time differ between the sides by nature."""
    delta = diff(
        {key: item.body for key, item in wanted.items()}, {key: item.body for key, item in found.items()}
    )
    return Delta(
        added={key: wanted[key] for key in sorted(delta.added)},
        changed={key: wanted[key] for key in sorted(delta.changed)},
        # Endpoints go before the Cluster that permits them.
        removed={key: found[key] for key in sorted(delta.removed, reverse=True)},
    )


def _refusal(item: SyncItem, cluster_id: ClusterId, taken: bool) -> Refusal | None:
    if item.refusal is not None:
        return item.refusal
    fault = _identity_fault(item, cluster_id)
    if fault is None and taken:
        reason = "is the name of an object of this cluster; the other cluster must delete it at the broker"
        fault = Fault("metadata.name", reason)
    return None if fault is None else Refusal(fault.rejection(item.ref), item.claimed, item.shown)


def _identity_fault(item: SyncItem, cluster_id: ClusterId) -> Fault | None:
    if item.origin is None:
        reason = f"has no label {CLUSTER_ID_LABEL}, so nobody knows who wrote it; delete it at the broker"
        return Fault("metadata.labels", reason)
    fault = origin_fault(cluster_id, ClusterId(item.claimed), item.origin)
    if fault is not None:
        return fault
    if item.ref.kind == cluster_kind.KIND and item.ref.name != item.claimed:
        return Fault("metadata.name", f'must be "{item.claimed}", the cluster id in its spec')
    if item.ref.kind != cluster_kind.KIND and not item.ref.name.startswith(f"{item.claimed}-"):
        return Fault("metadata.name", f'must begin with "{item.claimed}-", the cluster id in its spec')
    return None

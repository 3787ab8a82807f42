"""Takes everything of this gateway away: from the host, from this cluster's API and from the broker's.

Each part is tried whatever became of the others; what could not be removed is told, with what to look at.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from broker.side import Side
from broker.sync import withdraw
from crds.endpoint import sanitised_name
from crds.lease import parse_lease
from gateway.cabling import Cabling
from gateway.config import Settings
from gateway.leasefile import LEASE, holder_name
from isthmus.kube.api import KubeApi
from isthmus.kube.errors import NotFound
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, GATEWAYS, LEASES
from isthmus.kube.writer import prune, remove
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Removal:
    """What to remove from; `broker` is None when the environment names no usable broker."""

    settings: Settings
    api: KubeApi
    broker: Side | None
    cabling: Cabling


async def uninstall(removal: Removal) -> tuple[Outcome, ...]:
    """Remove everything and log what was removed and what was not."""
    outcomes: list[Outcome] = list(await removal.cabling.release())
    for step, remove_part in STEPS:
        outcomes.append(await _attempt(step, remove_part(removal)))
    for outcome in outcomes:
        if outcome.removed:
            log.info("removed", step=outcome.step, count=outcome.removed)
        for failure in outcome.failures:
            log.error("not_removed", step=outcome.step, error=str(failure))
    log.info("uninstalled", complete=not any(outcome.failures for outcome in outcomes))
    return tuple(outcomes)


async def _announcement(removal: Removal) -> Outcome:
    settings, api = removal.settings, removal.api
    if removal.broker is not None:
        local = Side("this cluster", api, settings.namespace)
        return await withdraw(settings.cluster_id, local, removal.broker)
    gone = [
        await prune(api, resource, settings.namespace, keep=(), label_selector="")
        for resource in (ENDPOINTS, CLUSTERS)
    ]
    return Outcome("announcement", removed=sum(len(names) for names in gone))


async def _gateway(removal: Removal) -> Outcome:
    name = sanitised_name(removal.settings.node)
    return Outcome(
        "gateway", removed=int(await remove(removal.api, GATEWAYS, removal.settings.namespace, name))
    )


async def _lease(removal: Removal) -> Outcome:
    """Remove the Lease, unless another gateway holds it."""
    namespace = removal.settings.namespace
    try:
        found = await removal.api.get(LEASES, namespace, LEASE)
    except NotFound:
        return Outcome("lease")
    if parse_lease(found).holder not in ("", holder_name(removal.settings.node)):
        return Outcome("lease")
    return Outcome("lease", removed=int(await remove(removal.api, LEASES, namespace, LEASE)))


Step = Callable[[Removal], Awaitable[Outcome]]
STEPS: Sequence[tuple[str, Step]] = (
    ("lease", _lease),
    ("announcement", _announcement),
    ("gateway", _gateway),
)


async def _attempt(step: str, removing: Awaitable[Outcome]) -> Outcome:
    try:
        return await removing
    except Transient as failure:
        return Outcome(step, failures=(failure,))

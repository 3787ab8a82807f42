"""The Lease as the election sees it: who holds it, for how long, and in which version."""

from __future__ import annotations

from dataclasses import replace

from crds.lease import Lease, parse_lease, render_lease
from crds.meta import NodeName, ObjectRef
from gateway.leadership import Holding
from isthmus.kube.api import KubeApi
from isthmus.kube.errors import AlreadyExists, Conflict, NotFound
from isthmus.kube.resources import LEASES
from isthmus.reconcile.clock import Clock

LEASE = "submariner-gateway-lock"
RELEASED = 1
"""Seconds that a released Lease still claims to last; a Lease of zero seconds is invalid."""


def holder_name(node: NodeName) -> str:
    """The name under which this node's gateway holds the Lease, the same after a restart."""
    return f"{node}-submariner-gateway"


class LeaseFile:
    """Reads and writes the one Lease."""

    def __init__(self, api: KubeApi, namespace: str, duration: float, clock: Clock) -> None:
        self._api = api
        self._ref = ObjectRef("Lease", namespace, LEASE)
        self._duration = int(duration)
        self._clock = clock
        self._last = Lease(self._ref)

    async def read(self) -> Holding | None:
        """What the Lease says; None if there is none."""
        try:
            found = await self._api.get(LEASES, self._ref.namespace, LEASE)
        except NotFound:
            self._last = Lease(self._ref)
            return None
        return self._remember(parse_lease(found))

    async def write(self, holder: str, over: Holding | None, new_term: bool) -> Holding | None:
        """Write *holder* ("" releases); None if the Lease is no longer the version *over*."""
        now = self._clock.now()
        body = render_lease(
            replace(
                self._last,
                holder=holder,
                duration_seconds=self._duration if holder else RELEASED,
                acquire_time=now if new_term or self._last.acquire_time is None else self._last.acquire_time,
                renew_time=now,
                transitions=self._last.transitions + (1 if new_term and over else 0),
                resource_version=over.version if over else "",
            )
        )
        try:
            if over is None:
                written = await self._api.create(LEASES, self._ref.namespace, body)
            else:
                written = await self._api.replace(LEASES, self._ref.namespace, LEASE, body)
        except (AlreadyExists, Conflict):
            return None
        return self._remember(parse_lease(written))

    def _remember(self, lease: Lease) -> Holding:
        self._last = lease
        return Holding(lease.holder, float(lease.duration_seconds), lease.resource_version, lease.transitions)

"""Reads what this gateway stands on: its Node, its host's addresses, its tunnel daemon.

Each is read on its own; what cannot be read now keeps its last value, and the trouble is told beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from crds.meta import Family, IPNetwork, NodeName
from crds.node import Node, parse_node
from gateway.drivers import CableDriver, DriverFacts
from isthmus.dataplane.facts import HostFacts, host_facts
from isthmus.dataplane.tables import Netlink
from isthmus.kube.api import KubeApi
from isthmus.kube.resources import NODES
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome

FAMILY: Family = 4
NODE_REFRESH = 30.0
"""Seconds for which a Node that was read is good enough: its settings change by hand."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known; None was never read. `driver_trouble` is "" while the tunnel daemon answers."""

    node: Node | None = None
    host: HostFacts | None = None
    driver: DriverFacts | None = None
    driver_trouble: str = ""
    outcomes: tuple[Outcome, ...] = ()

    @property
    def troubles(self) -> tuple[str, ...]:
        """What could not be read, in words."""
        return tuple(str(failure) for outcome in self.outcomes for failure in outcome.failures)


@dataclass(frozen=True, slots=True)
class Subject:
    """Which node and which networks the survey is about."""

    node: NodeName
    cluster_cidrs: tuple[IPNetwork, ...]


class Surveyor:
    """Looks again each time it is asked, and remembers the last good answers."""

    def __init__(
        self, subject: Subject, api: KubeApi, netlink: Netlink, driver: CableDriver, clock: Clock
    ) -> None:
        self._subject = subject
        self._api = api
        self._netlink = netlink
        self._driver = driver
        self._clock = clock
        self._known = Survey()
        self._node_read_at = float("-inf")

    async def survey(self) -> Survey:
        """Read everything that may have changed."""
        outcomes = [await self._read_node(), await self._read_host(), await self._read_driver()]
        self._known = replace(
            self._known, outcomes=tuple(outcome for outcome in outcomes if outcome.failures)
        )
        return self._known

    async def _read_node(self) -> Outcome:
        now = self._clock.monotonic()
        if now - self._node_read_at < NODE_REFRESH:
            return Outcome("node")
        try:
            found = await self._api.get(NODES, None, self._subject.node)
        except Transient as failure:
            return Outcome("node", failures=(failure,))
        self._known = replace(self._known, node=parse_node(found))
        self._node_read_at = now
        return Outcome("node")

    async def _read_host(self) -> Outcome:
        try:
            host = await host_facts(self._netlink, FAMILY, self._subject.cluster_cidrs)
        except Transient as failure:
            return Outcome("host", failures=(failure,))
        self._known = replace(self._known, host=host)
        return Outcome("host")

    async def _read_driver(self) -> Outcome:
        try:
            driver = await self._driver.prepare()
        except Transient as failure:
            self._known = replace(self._known, driver_trouble=str(failure))
            return Outcome("driver", failures=(failure,))
        self._known = replace(self._known, driver=driver, driver_trouble="")
        return Outcome("driver")

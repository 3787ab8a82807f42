"""Reads what this gateway stands on: its Node, its host's addresses, its tunnel daemon.

Each is read on its own; what cannot be read now keeps its last value, and the trouble is told beside it. The
Node comes from the API server and so has a loop of its own: a server that hangs must not delay a look at the
host.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from crds.meta import Family, IPNetwork, NodeName
from crds.node import Node, parse_node
from gateway.drivers import CableDriver, DriverFacts
from isthmus.dataplane.facts import HostFacts, host_facts
from isthmus.dataplane.tables import Netlink
from isthmus.kube.api import KubeApi
from isthmus.kube.resources import NODES
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome, PassReport

FAMILY: Family = 4


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known; None was never read. A trouble is "" while there is none.

    `outcomes` holds the failures of this host only.
    """

    node: Node | None = None
    host: HostFacts | None = None
    driver: DriverFacts | None = None
    node_trouble: str = ""
    driver_trouble: str = ""
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """Which node and which networks the survey is about."""

    node: NodeName
    cluster_cidrs: tuple[IPNetwork, ...]


class Surveyor:
    """Looks again each time it is asked, and remembers the last good answers."""

    def __init__(
        self,
        subject: Subject,
        api: KubeApi,
        netlink: Netlink,
        driver: CableDriver,
        on_node: Callable[[], None],
    ) -> None:
        self._subject = subject
        self._api = api
        self._netlink = netlink
        self._driver = driver
        self._on_node = on_node
        self._known = Survey()

    async def read_node(self) -> PassReport:
        """Read the Node; calls `on_node` if it, or the trouble with it, is another one than before."""
        before = self._known
        try:
            found = await self._api.get(NODES, None, self._subject.node)
        except Transient as failure:
            self._known = replace(self._known, node_trouble=str(failure))
            report = PassReport.of([Outcome("node", failures=(failure,))])
        else:
            self._known = replace(self._known, node=parse_node(found), node_trouble="")
            report = PassReport()
        if self._known != before:
            self._on_node()
        return report

    async def survey(self) -> Survey:
        """Read what may have changed on this host."""
        outcomes = [await self._read_host(), await self._read_driver()]
        failed = tuple(outcome for outcome in outcomes if outcome.failures)
        self._known = replace(self._known, outcomes=failed)
        return self._known

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

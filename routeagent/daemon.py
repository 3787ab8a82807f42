"""Puts the running route agent together: what watches, what passes, what reports, all in one task group."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from prometheus_client import CollectorRegistry

from crds.meta import Family
from crds.routeagent import RouteAgentStatus
from isthmus.dataplane.tables import ChangeFeed
from isthmus.kube.api import KubeApi
from isthmus.kube.events import Reporter
from isthmus.kube.watch import reflect
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.health import Health, serve
from isthmus.reconcile.loop import Loop, LoopTiming
from isthmus.reconcile.outcome import PassReport
from isthmus.reconcile.service import endless
from routeagent.agent import RouteAgent
from routeagent.apply import Host
from routeagent.config import Settings
from routeagent.departed import Departures
from routeagent.health import Echoes, HealthCheck
from routeagent.relayed import relayed
from routeagent.reporting import KubeDesk, Reporting
from routeagent.status import ping_targets, route_agent_status
from routeagent.stores import Stores

COMPONENT = "isthmus-routeagent"
PASSES = LoopTiming(minimum_interval=0.2)
"""News from the kernel comes in bursts, our own writes among them; the first of a burst starts a pass."""
REPORTS = LoopTiming(minimum_interval=1.0)


@dataclass(frozen=True, slots=True)
class World:
    """What the daemon touches outside of itself."""

    api: KubeApi
    host: Host
    echoes: Echoes
    clock: Clock


class Daemon:
    """One route agent: `passes` is its loop, `health` what is known of it; `run` never returns."""

    def __init__(self, settings: Settings, world: World, version: str, family: Family) -> None:
        self._settings = settings
        self._world = world
        self._version = version
        self._stores = Stores()
        self._agent = RouteAgent(
            settings, self._stores, world.host, Departures(world.clock), family, self._on_report
        )
        self._pings = HealthCheck(
            world.echoes, world.clock, settings.health_interval or 0.0, lambda: self._reports.kick()
        )
        self.health = Health(world.clock, self._stores.waiting_for, CollectorRegistry())
        self.passes = Loop(self._agent.run_pass, world.clock, PASSES, self.health.observe)
        reporting = Reporting(self._desk(), world.clock, self._status, lambda: self._agent.report.announced)
        self._reports = Loop(reporting.run_pass, world.clock, REPORTS, _ignore)

    async def run(self, listen: tuple[str, ...]) -> None:
        """Work for ever; *listen* are the addresses on which health and metrics are served."""
        clock, stores, api = self._world.clock, self._stores, self._world.api
        namespace, kick = self._settings.namespace, self.passes.kick
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(endless("passes", self.passes.run()))
            tasks.create_task(endless("reports", self._reports.run()))
            tasks.create_task(endless("kernel news", self._follow(self._world.host.netlink.feed)))
            tasks.create_task(
                endless("health server", serve(self.health, listen, self._settings.metrics_port, clock))
            )
            if self._settings.health_interval is not None:
                tasks.create_task(endless("pings", self._pings.run()))
            tasks.create_task(endless("clusters", reflect(api, stores.clusters, namespace, clock, kick)))
            tasks.create_task(endless("endpoints", reflect(api, stores.endpoints, namespace, clock, kick)))
            tasks.create_task(endless("nodes", reflect(api, stores.nodes, None, clock, kick)))
            tell = self._reports.kick
            tasks.create_task(endless("gateways", reflect(api, stores.gateways, namespace, clock, tell)))

    def _desk(self) -> KubeDesk:
        node, namespace = self._settings.node, self._settings.namespace
        reporter = Reporter(self._world.api, self._world.clock, COMPONENT, node, namespace)
        return KubeDesk(self._world.api, reporter, namespace, node)

    def _status(self) -> RouteAgentStatus:
        own = route_agent_status(self._version, self._agent.report, self._pings.reach())
        gateways = self._stores.gateways.view().records.values()
        told = own.remote_endpoints + relayed(gateways, own.remote_endpoints)
        return replace(own, remote_endpoints=told)

    def _on_report(self) -> None:
        if self._settings.health_interval is not None:
            self._pings.aim(ping_targets(self._agent.report))
        self._reports.kick()

    async def _follow(self, feed: ChangeFeed) -> None:
        async for _ in feed.changes():
            self.passes.kick()


def _ignore(_report: PassReport, _seconds: float) -> None:
    """Reports have no metrics: the loop's own line tells of failures."""

"""Puts the gateway together over its boundaries and runs it until it is cancelled.

Two loops: the passes that act, and those that report, so that a slow API server delays no cable. The
election, the watches and the pings run beside them and kick the loops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from broker.side import Side
from broker.sync import BrokerSync
from crds.cluster import parse_cluster
from crds.endpoint import parse_endpoint
from crds.gateway import Gateway, parse_gateway
from crds.lease import Lease, parse_lease
from gateway.apply import GatewayPass, Members, Parts
from gateway.cabling import Cabling
from gateway.campaign import Campaign
from gateway.config import Settings
from gateway.drivers import CableDriver
from gateway.election import Election
from gateway.failclosed import StepAside
from gateway.health.icmp import Echoes
from gateway.health.ping import Pinger
from gateway.leading import Leading
from gateway.leasefile import LeaseFile, holder_name
from gateway.metrics import CableMetrics
from gateway.picture import Picture
from gateway.report import HEARTBEAT, Sources, StatusPass
from gateway.survey import Subject, Surveyor
from isthmus.dataplane.tables import Netlink
from isthmus.kube.api import KubeApi
from isthmus.kube.events import Reporter
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, GATEWAYS, LEASES
from isthmus.kube.store import Store
from isthmus.kube.watch import reflect
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.health import Health
from isthmus.reconcile.loop import Loop, LoopTiming
from isthmus.reconcile.service import endless

log = structlog.get_logger()

REPORTING = LoopTiming(minimum_interval=0.5, resync=HEARTBEAT, retry_minimum=0.5, retry_maximum=HEARTBEAT)


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The world outside; `broker` is where the members meet, `show_health` answers probes for ever."""

    api: KubeApi
    broker: Side
    netlink: Netlink
    driver: CableDriver
    echoes: Echoes
    clock: Clock
    show_health: Callable[[Health], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Daemon:
    """The parts that run."""

    members: Members
    gateways: Store[Gateway]
    leases: Store[Lease]
    broker: BrokerSync
    campaign: Campaign
    pinger: Pinger | None
    status: StatusPass
    health: Health
    loop: Loop
    status_loop: Loop

    def waiting_for(self) -> list[str]:
        """Kinds that were never read in full."""
        stores = (self.members.clusters, self.members.endpoints, self.gateways)
        return [store.resource.plural for store in stores if not store.view().synced]


def build_daemon(settings: Settings, world: Boundaries, version: str) -> Daemon:
    """Wire everything; nothing runs yet."""
    clock, api, namespace = world.clock, world.api, settings.namespace
    members = Members(Store(CLUSTERS, parse_cluster), Store(ENDPOINTS, parse_endpoint))
    gateways = Store(GATEWAYS, parse_gateway)
    pinger = None
    if settings.health_checks:
        pinger = Pinger(world.echoes, clock, settings.ping, lambda: daemon.status_loop.kick())
    cabling = Cabling(world.netlink.addresses, world.driver, pinger)
    file = LeaseFile(api, namespace, settings.lease.duration, clock)
    election = Election(holder_name(settings.node), settings.lease)
    campaign = Campaign(election, file, clock, lambda: daemon.loop.kick())
    broker = BrokerSync(settings.cluster_id, Side("this cluster", api, namespace), world.broker, clock)
    leading = Leading(settings, api, broker, cabling, campaign.leads)
    subject = Subject(settings.node, settings.cluster_cidrs)
    surveyor = Surveyor(subject, api, world.netlink, world.driver, clock)
    parts = Parts(surveyor, members, leading, cabling)

    def on_picture(picture: Picture) -> None:
        step_aside.after_pass(picture)
        daemon.status_loop.kick()

    gateway_pass = GatewayPass(settings, parts, lambda: campaign.role, on_picture)
    sources = Sources(lambda: gateway_pass.picture, world.driver, pinger, gateways)
    events = Reporter(api, clock, "isthmus-gateway", settings.node, namespace)
    status = StatusPass(settings, version, api, sources, events, clock)
    step_aside = StepAside(clock, status.candidates, campaign.set_aside)
    registry = CollectorRegistry()
    registry.register(CableMetrics(lambda: status.report, lambda: status.written))
    health = Health(clock, lambda: daemon.waiting_for(), registry)
    daemon = Daemon(
        members=members,
        gateways=gateways,
        leases=Store(LEASES, parse_lease),
        broker=broker,
        campaign=campaign,
        pinger=pinger,
        status=status,
        health=health,
        loop=Loop(gateway_pass.run, clock, LoopTiming(), health.observe),
        status_loop=Loop(status.run, clock, REPORTING, lambda _report, _seconds: None),
    )
    return daemon


async def run_daemon(settings: Settings, world: Boundaries, version: str) -> None:
    """Run until cancelled; then release the Lease and remove our Gateway object, but leave the cables."""
    daemon = build_daemon(settings, world, version)
    try:
        await _run_parts(settings, world, daemon)
    except asyncio.CancelledError:
        await _say_goodbye(daemon)
        raise


async def _run_parts(settings: Settings, world: Boundaries, daemon: Daemon) -> None:
    kick = daemon.loop.kick

    def on_lease() -> None:
        # The leader sees its own renewals here and would answer each with another one.
        if not daemon.campaign.leads():
            daemon.campaign.look()

    watches: tuple[tuple[Store[Any], Callable[[], None]], ...] = (
        (daemon.members.clusters, kick),
        (daemon.members.endpoints, kick),
        (daemon.gateways, lambda: None),
        (daemon.leases, on_lease),
    )
    running: dict[str, Awaitable[None]] = {
        "the election": daemon.campaign.run(),
        "the passes": daemon.loop.run(),
        "the reports": daemon.status_loop.run(),
        "the broker's watches": daemon.broker.watch(kick),
        "the driver's events": _follow(world.driver, daemon),
        "the health pages": world.show_health(daemon.health),
    }
    for store, on_change in watches:
        watch = reflect(world.api, store, settings.namespace, world.clock, on_change)
        running[f"the watch of {store.resource}"] = watch
    if daemon.pinger is not None:
        running["the pings"] = daemon.pinger.run()
    async with asyncio.TaskGroup() as tasks:
        for name, task in running.items():
            tasks.create_task(endless(name, task))


async def _follow(driver: CableDriver, daemon: Daemon) -> None:
    async for _ in driver.changes():
        daemon.loop.kick()
        daemon.status_loop.kick()


async def _say_goodbye(daemon: Daemon) -> None:
    await daemon.campaign.withdraw()
    try:
        await daemon.status.sign_off()
    except Transient as failure:
        log.warning("gateway_object_left", error=str(failure))

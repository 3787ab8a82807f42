"""Puts the gateway together over its boundaries; `gateway.run` runs it.

Each thing that may be slow has a loop of its own, so that an API server that hangs delays no cable: cables,
announcements, status, Node. The election, the watches and the pings run beside them and kick the loops.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from broker.side import Side
from broker.sync import BrokerSync
from crds.cluster import parse_cluster
from crds.endpoint import parse_endpoint
from crds.gateway import Gateway, parse_gateway
from crds.lease import Lease, parse_lease
from gateway.announce import AnnouncePass
from gateway.apply import GatewayPass, Parts
from gateway.cabling import Cabling
from gateway.campaign import Campaign
from gateway.config import Settings
from gateway.drivers import CableDriver
from gateway.election import Election
from gateway.failclosed import StepAside
from gateway.health.icmp import Echoes
from gateway.health.ping import Pinger
from gateway.leasefile import LeaseFile, holder_name
from gateway.metrics import CableMetrics
from gateway.picture import Picture
from gateway.report import HEARTBEAT, Sources, StatusPass
from gateway.snapshot import Members
from gateway.survey import Subject, Surveyor
from isthmus.dataplane.tables import Netlink
from isthmus.kube.api import KubeApi
from isthmus.kube.events import Reporter
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, GATEWAYS, LEASES
from isthmus.kube.store import Store
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.health import Health
from isthmus.reconcile.loop import Loop, LoopTiming

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
    cable_loop: Loop
    announce_loop: Loop
    status_loop: Loop
    node_loop: Loop

    def kick(self) -> None:
        """The members or our role changed: look at the cables and the announcements."""
        self.cable_loop.kick()
        self.announce_loop.kick()

    def waiting_for(self) -> list[str]:
        """Kinds that were never read in full."""
        stores = (self.members.clusters, self.members.endpoints, self.gateways)
        return [store.resource.plural for store in stores if not store.view().synced]


def build_daemon(settings: Settings, world: Boundaries, version: str) -> Daemon:
    """Wire everything; nothing runs yet."""
    clock, api, namespace = world.clock, world.api, settings.namespace
    members = Members(Store(CLUSTERS, parse_cluster), Store(ENDPOINTS, parse_endpoint))
    gateways = Store(GATEWAYS, parse_gateway)
    pinger = _pinger(settings, world, lambda: daemon.status_loop.kick())
    campaign = _campaign(settings, world, lambda: daemon.kick())
    surveyor = _surveyor(settings, world, lambda: daemon.cable_loop.kick())
    broker = BrokerSync(settings.cluster_id, Side("this cluster", api, namespace), world.broker, clock)
    parts = Parts(surveyor, members, campaign, Cabling(world.netlink.addresses, world.driver, pinger))

    def on_picture(picture: Picture) -> None:
        step_aside.after_pass(picture)
        daemon.announce_loop.kick()
        daemon.status_loop.kick()

    cables = GatewayPass(settings, parts, on_picture)
    announcements = AnnouncePass(settings, api, broker, members, campaign.leads, lambda: cables.picture.plan)
    sources = Sources(lambda: cables.picture, lambda: announcements.announced, world.driver, pinger, gateways)
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
        cable_loop=Loop(cables.run, clock, LoopTiming(), health.observe),
        announce_loop=Loop(announcements.run, clock, LoopTiming(), lambda *_: daemon.status_loop.kick()),
        status_loop=Loop(status.run, clock, REPORTING, lambda *_: None),
        node_loop=Loop(surveyor.read_node, clock, LoopTiming(), lambda *_: None),
    )
    return daemon


def _pinger(settings: Settings, world: Boundaries, on_change: Callable[[], None]) -> Pinger | None:
    if not settings.health_checks:
        return None
    return Pinger(world.echoes, world.clock, settings.ping, on_change)


def _campaign(settings: Settings, world: Boundaries, on_role: Callable[[], None]) -> Campaign:
    file = LeaseFile(world.api, settings.namespace, settings.lease.duration, world.clock)
    election = Election(holder_name(settings.node), settings.lease)
    return Campaign(election, file, world.clock, on_role)


def _surveyor(settings: Settings, world: Boundaries, on_node: Callable[[], None]) -> Surveyor:
    subject = Subject(settings.node, settings.cluster_cidrs)
    return Surveyor(subject, world.api, world.netlink, world.driver, on_node)

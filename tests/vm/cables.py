"""Two real charons with ESP in the kernel as the tunnel of the route agent's rig, and their drivers at work.

The drivers live in a loop and a thread of their own, so that a test can ask, ping and break things meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, TypeVar

from crds.endpoint import EndpointSpec
from crds.gateway import ConnectionStatus
from gateway.sweeper import Sweeper
from isthmus.charon.session import ViciSession
from isthmus.dataplane.command import Completed, SystemCommand
from tests import strongswan
from tests.charon.pair import Gateway, Pair
from tests.kernel.routeagent_rig import EAST, GATEWAY, SITES, WEST, Rig, Site

PATIENCE_SECONDS = 60.0
"""An emulated processor may take this long for what takes a real one a second."""

R = TypeVar("R")


def open_for_ipsec(rig: Rig) -> None:
    """What the administrator of a closed host has to do for IPsec, and counters for it on the WAN."""
    for site in SITES:
        gateway = rig.node(site, GATEWAY)
        rig.run(gateway, "iptables-nft", "-A", "INPUT", "-p", "esp", "-j", "ACCEPT")
        rig.run(gateway, "iptables-nft", "-A", "INPUT", "-p", "udp", "--dport", "4500", "-j", "ACCEPT")
    for match in ("-p esp", "-p udp --dport 4500", "-p icmp --icmp-type port-unreachable"):
        count = ("iptables-nft", "-t", "mangle", "-A", "FORWARD", *match.split(), "-j", "ACCEPT")
        rig.run(rig.wan, *count)
    rig.run(rig.wan, "iptables-nft", "-t", "mangle", "-A", "FORWARD")


@dataclass(frozen=True, slots=True)
class Crossed:
    """Packets between the sites so far; `unheard` are answers to IKE from a gateway whose charon is dead."""

    esp: int
    ike: int
    unheard: int
    others: int


def crossed(rig: Rig) -> Crossed:
    """Read the WAN's counters."""
    shown = rig.run(rig.wan, "iptables-nft", "-t", "mangle", "-nvxL", "FORWARD")
    return Crossed(*(int(line.split()[0]) for line in shown.splitlines()[2:]))


@dataclass(frozen=True, slots=True)
class CommandInside:
    """Programs that run in a namespace, as those of a daemon on that node do."""

    namespace: str

    async def run(self, argv: Sequence[str], *, stdin: str = "", limit: float = 30.0) -> Completed:
        inside = ("ip", "netns", "exec", self.namespace, *argv)
        return await SystemCommand().run(inside, stdin=stdin, limit=limit)


@dataclass(slots=True)
class Cables:
    """The two gateways' charons and drivers."""

    pair: Pair
    loop: asyncio.AbstractEventLoop
    _tasks: list[Any] = field(default_factory=list)

    def do(self, work: Coroutine[Any, Any, R]) -> R:
        """Run *work* in the drivers' loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_SECONDS)

    def start_daemons(self) -> None:
        """Fresh drivers that follow charon's events and keep the tunnels as they are wanted."""
        for gateway in (self.pair.east, self.pair.west):
            gateway.restart_daemon()
            self._tasks.append(asyncio.run_coroutine_threadsafe(gateway.run(), self.loop))

    def stop_daemons(self) -> None:
        """End the drivers; what they loaded into charon stays."""
        while self._tasks:
            task = self._tasks.pop()
            task.cancel()
            with suppress(CancelledError):
                task.result(PATIENCE_SECONDS)

    def want(self, *, joined: bool) -> None:
        """Let the two gateways know each other, or neither."""
        east, west = self.pair.east, self.pair.west
        for gateway, peer in ((east, west.local), (west, east.local)):
            self.loop.call_soon_threadsafe(gateway.wants, peer if joined else None)

    def change(self, *, west: EndpointSpec) -> None:
        """Let west announce something else, and hear of it first."""
        self.loop.call_soon_threadsafe(self.pair.west.wants, self.pair.east.local, west)
        time.sleep(0.5)
        self.loop.call_soon_threadsafe(self.pair.east.wants, west)

    def kick(self) -> None:
        """Let both drivers look again, as the resync does."""
        for gateway in (self.pair.east, self.pair.west):
            self.loop.call_soon_threadsafe(gateway.kicked.set)

    def connected(self) -> None:
        """Wait until both ends say so."""
        for gateway in (self.pair.east, self.pair.west):
            self.do(gateway.reaches(ConnectionStatus.CONNECTED, PATIENCE_SECONDS))


@contextmanager
def cables(rig: Rig, directory: Path) -> Iterator[Cables]:
    """Charons on both gateway nodes of *rig*, drivers running, nothing wanted yet."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="drivers")
    thread.start()
    east, west = (_gateway(rig, site, directory) for site in (EAST, WEST))
    running = Cables(Pair(east, west), loop)
    try:
        for gateway in (east, west):
            gateway.site.start()
        running.start_daemons()
        yield running
    finally:
        running.stop_daemons()
        for gateway in (east, west):
            gateway.charon.close()
            gateway.site.kill()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_SECONDS)
        loop.close()


def _gateway(rig: Rig, site: Site, directory: Path) -> Gateway:
    run_dir = directory / site.name
    run_dir.mkdir()
    place = strongswan.Site(
        name=rig.node(site, GATEWAY),
        address=IPv4Address(site.address(GATEWAY)),
        subnets=(IPv4Network(site.service_cidr), IPv4Network(site.pod_cidr)),
        run_dir=run_dir,
        esp="kernel",
    )
    sweeper = Sweeper(CommandInside(place.name))
    return Gateway(place, site.name, ViciSession(place.settings.vici_path), sweeper=sweeper)

"""Two real charons with ESP in the kernel as the tunnel of the route agent's rig, and their drivers at work.

The drivers live in a loop and a thread of their own, so that a test can ask, ping and break things meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, TypeVar

from crds.gateway import ConnectionStatus
from isthmus.charon.session import ViciSession
from tests import strongswan
from tests.charon.pair import Gateway, Pair
from tests.kernel.routeagent_rig import EAST, GATEWAY, SITES, WEST, Rig, Site

PATIENCE_SECONDS = 120.0
"""An emulated processor may take this long for what takes a real one a second."""

R = TypeVar("R")


def open_for_ipsec(rig: Rig) -> None:
    """What the administrator of a closed host has to do for IPsec, and counters for it on the WAN."""
    for site in SITES:
        gateway = rig.node(site, GATEWAY)
        rig.run(gateway, "iptables-nft", "-A", "INPUT", "-p", "esp", "-j", "ACCEPT")
        rig.run(gateway, "iptables-nft", "-A", "INPUT", "-p", "udp", "--dport", "4500", "-j", "ACCEPT")
    for protocol in ("esp", "udp"):
        rig.run(rig.wan, "iptables-nft", "-t", "mangle", "-A", "FORWARD", "-p", protocol, "-j", "ACCEPT")
    rig.run(rig.wan, "iptables-nft", "-t", "mangle", "-A", "FORWARD")


def crossed(rig: Rig) -> tuple[int, int, int]:
    """Packets between the sites so far: ESP, UDP (IKE), and anything else."""
    shown = rig.run(rig.wan, "iptables-nft", "-t", "mangle", "-nvxL", "FORWARD")
    esp, udp, rest = (int(line.split()[0]) for line in shown.splitlines()[2:])
    return esp, udp, rest


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
    return Gateway(place, site.name, ViciSession(place.settings.vici_path))

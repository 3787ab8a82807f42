"""Two gateways' cable drivers over two real charons, each with the loop that a gateway daemon would run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from crds.endpoint import EndpointSpec
from crds.gateway import ConnectionStatus
from gateway.drivers import CableState
from gateway.plan.cables import Cable, plan_cable
from gateway.plan.ipsec import IpsecOptions
from gateway.strongswan import StrongswanDriver
from gateway.sweeper import Sweeper
from isthmus.charon.records import IkeSa, Psk
from isthmus.charon.session import ViciSession
from isthmus.reconcile.clock import SystemClock
from isthmus.reconcile.outcome import Outcome
from tests.builders import endpoint_spec
from tests.strongswan import Esp, Link, Site, connect_by_veth, two_sites

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"


@dataclass
class Gateway:
    """One cluster's driver, and what it wants."""

    site: Site
    cluster_id: str
    charon: ViciSession
    key: str = KEY
    sweeper: Sweeper | None = None
    local: EndpointSpec = field(init=False)
    peer: EndpointSpec | None = None
    passes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.local = self.endpoint()
        self.kicked = asyncio.Event()
        self.restart_daemon()

    def restart_daemon(self) -> None:
        """Forget everything, as a gateway daemon that was killed."""
        options = IpsecOptions(Psk(self.key))
        self.driver = StrongswanDriver(self.charon, options, SystemClock(), sweeper=self.sweeper)

    def endpoint(self, *more: IPv4Network, address: IPv4Address | None = None) -> EndpointSpec:
        """This gateway's Endpoint, with further subnets or another address."""
        subnets = (str(subnet) for subnet in (*self.site.subnets, *more))
        return endpoint_spec(self.cluster_id, *subnets, private_ip=str(address or self.site.address))

    async def run(self) -> None:
        """Passes on every change, and again soon after a failure."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            while True:
                outcome = await self.driver.sync(() if self.peer is None else (self.cable(),))
                self.passes.append(outcome)
                try:
                    async with asyncio.timeout(0.2 if outcome.failures else None):
                        await self.kicked.wait()
                except TimeoutError:
                    continue
                self.kicked.clear()

    async def _follow(self) -> None:
        async for _ in self.driver.changes():
            self.kicked.set()

    def cable(self) -> Cable:
        assert self.peer is not None
        return plan_cable(self.local, self.peer)

    def wants(self, peer: EndpointSpec | None, local: EndpointSpec | None = None) -> None:
        """The world has changed."""
        self.peer, self.local = peer, local or self.local
        self.kicked.set()

    async def state(self) -> CableState:
        (state,) = (await self.driver.states()).values()
        return state

    async def sas(self) -> tuple[IkeSa, ...]:
        return await self.charon.list_sas()

    async def reaches(self, status: ConnectionStatus, seconds: float = 15) -> CableState:
        """Wait for a status."""
        deadline = time.monotonic() + seconds
        while True:
            states = list((await self.driver.states()).values())
            if states and states[0].status is status:
                return states[0]
            assert time.monotonic() < deadline, f"{self.cluster_id} is not {status}: {states}"
            await asyncio.sleep(0.05)

    async def says(self, words: str, seconds: float = 15) -> None:
        """Wait for a message."""
        deadline = time.monotonic() + seconds
        while words not in (state := await self.state()).message:
            assert time.monotonic() < deadline, f"{words!r} was never said but {state.message!r}"
            await asyncio.sleep(0.05)


@dataclass
class Pair:
    """East starts tunnels, west waits for it."""

    east: Gateway
    west: Gateway

    def join(self) -> None:
        self.east.wants(self.west.local)
        self.west.wants(self.east.local)

    async def connected(self, seconds: float = 15) -> None:
        for gateway in (self.east, self.west):
            await gateway.reaches(ConnectionStatus.CONNECTED, seconds)

    async def one_tunnel_each(self, seconds: float = 15) -> None:
        """Wait until nothing but one IKE_SA with one child is left on either side."""
        deadline = time.monotonic() + seconds
        while True:
            listings = [await gateway.sas() for gateway in (self.east, self.west)]
            if all(len(sas) == 1 and len(sas[0].children) == 1 for sas in listings):
                return
            assert time.monotonic() < deadline, f"extras stayed: {listings}"
            await asyncio.sleep(0.1)

    async def ping(self, count: int = 2) -> bool:
        """Whether packets pass in both directions; the drivers go on meanwhile."""
        east, west = self.east.site, self.west.site
        there = await asyncio.to_thread(east.ping, west.inner_address, count)
        return there and await asyncio.to_thread(west.ping, east.inner_address, count)


@asynccontextmanager
async def running_pair(esp: Esp = "libipsec", link: Link = connect_by_veth) -> AsyncIterator[Pair]:
    """Both charons up, both drivers at work, nothing wanted yet."""
    with two_sites(esp, link) as (here, there):
        here.start()
        there.start()
        with (
            closing(ViciSession(here.settings.vici_path)) as ours,
            closing(ViciSession(there.settings.vici_path)) as theirs,
        ):
            pair = Pair(Gateway(here, "east", ours), Gateway(there, "west", theirs))
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(gateway.run()) for gateway in (pair.east, pair.west)]
                yield pair
                for task in tasks:
                    task.cancel()

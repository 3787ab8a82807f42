"""A cable driver whose tunnels come up at a word, and the ways in which a real one fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from crds.gateway import ConnectionStatus
from gateway.drivers import CableState, DriverFacts
from gateway.plan.cables import Cable
from isthmus.reconcile.delta import diff
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome

WORKING = DriverFacts(interface_name="ipsec0", needs_subnet_addresses=True, esp="libipsec", version="5.9.8")
SOCKET_GONE = "cannot reach charon at unix:///run/charon.vici: start charon"


class FakeCableDriver:
    """Holds cables as charon would; `broken` is the sentence with which everything is refused."""

    name = "libreswan"

    def __init__(self, facts: DriverFacts = WORKING) -> None:
        self.facts = facts
        self.broken = ""
        self.held: dict[str, Cable] = {}
        self.shown: dict[str, CableState] = {}
        self.writes = 0
        self.bad_cables: set[str] = set()
        self._news = asyncio.Event()

    async def prepare(self) -> DriverFacts:
        self._refuse()
        return self.facts

    async def sync(self, cables: Sequence[Cable]) -> Outcome:
        try:
            self._refuse()
        except Transient as failure:
            return Outcome("cables", failures=(failure,))
        wanted = {cable.cable_name: cable for cable in cables if cable.cable_name not in self.bad_cables}
        delta = diff(wanted, self.held)
        self.held = wanted
        self.writes += delta.size
        failures = tuple(
            Transient(f"cable {cable.cable_name}: the peer does not answer")
            for cable in cables
            if cable.cable_name in self.bad_cables
        )
        return Outcome("cables", len(delta.added), len(delta.changed), len(delta.removed), failures)

    async def states(self) -> Mapping[str, CableState]:
        self._refuse()
        connected = CableState(ConnectionStatus.CONNECTED)
        return {name: self.shown.get(name, connected) for name in self.held}

    async def changes(self) -> AsyncIterator[None]:
        while True:
            await self._news.wait()
            self._news.clear()
            yield

    async def cleanup(self) -> Outcome:
        return await self.sync(())

    def crash(self) -> None:
        """Lose everything, as a charon that was killed."""
        self.broken = SOCKET_GONE
        self.held.clear()
        self.announce()

    def restart(self) -> None:
        """Come back empty."""
        self.broken = ""
        self.announce()

    def announce(self) -> None:
        """Say that something changed."""
        self._news.set()

    def _refuse(self) -> None:
        if self.broken:
            raise Transient(self.broken)

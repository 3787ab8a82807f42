"""The IPsec cable driver: cables as IKEv2 connections of a strongSwan charon that runs on this host.

A pass reads what charon holds, loads and unloads, then judges the SAs. Negotiations are only started here;
how they end is learnt from the next listing, and why they failed from charon's log lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from crds.gateway import ConnectionStatus
from gateway.drivers import CableState, DriverFacts
from gateway.plan.cables import Cable
from gateway.plan.cablestate import judge_cable
from gateway.plan.ipsec import IpsecOptions, IpsecPlan, connection_name, obstacle, plan_ipsec
from gateway.sweeper import Sweeper
from isthmus.charon import driver, esp
from isthmus.charon.api import Charon, CharonAway, CharonEvent, CharonFacts, CharonRefused
from isthmus.charon.driver import Loaded
from isthmus.charon.healing import Command, EndChild, EndIke, Initiate, Wanted, by_connection
from isthmus.charon.records import IkeSa, IpsecConnection, Psk, StartAction
from isthmus.charon.tunnels import Tunnels
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome

BACKEND = "libreswan"
"""The backend name by which Submariner's peers know IPsec; both daemons speak the same on the wire."""


@dataclass(frozen=True, slots=True)
class _Rearm:
    """A pass has set another time for the next look."""


class StrongswanDriver:
    """Implements `drivers.CableDriver`."""

    def __init__(
        self,
        charon: Charon,
        options: IpsecOptions,
        clock: Clock,
        read_key: Callable[[], Psk] | None = None,
        sweeper: Sweeper | None = None,
    ) -> None:
        """Each pass uses the key that *read_key* returns; without it that of *options* for ever.

        *sweeper* compares the kernel's IPsec tables with charon, where the kernel encrypts.
        """
        self._charon = charon
        self._options = options
        self._read_key = read_key or (lambda: options.psk)
        self._clock = clock
        self._sweeper = sweeper
        self._tunnels = Tunnels()
        self._cables: tuple[Cable, ...] = ()
        self._plan = IpsecPlan((), ())
        self._refused: Mapping[str, str] = {}
        self._inbox: asyncio.Queue[CharonEvent | _Rearm] = asyncio.Queue()

    @property
    def name(self) -> str:
        return BACKEND

    async def prepare(self) -> DriverFacts:
        facts = await self._charon.facts()
        provider = esp.esp_provider(facts)
        return DriverFacts(
            interface_name=esp.LIBIPSEC_DEVICE if provider == "libipsec" else None,
            needs_subnet_addresses=esp.needs_subnet_addresses(facts),
            esp=provider,
            version=facts.version,
        )

    async def sync(self, cables: Sequence[Cable]) -> Outcome:
        self._cables = tuple(cables)
        try:
            facts = await self._charon.facts()
            start_action = _start_action(facts)
            options = replace(self._options, psk=self._read_key())
            self._plan = plan_ipsec(self._cables, options, start_action)
            loaded = await driver.sync_connections(self._charon, self._plan.connections, self._plan.secrets)
            return await self._sweep(await self._heal(loaded), facts)
        except Transient as error:
            return Outcome(driver.STEP, failures=(error,))

    async def states(self) -> Mapping[str, CableState]:
        try:
            sas = await self._charon.list_sas()
        except Transient as error:
            return {cable.cable_name: _failed(cable, str(error)) for cable in self._cables}
        connections = {connection.name: connection for connection in self._plan.connections}
        grouped = by_connection(sas)
        states: dict[str, CableState] = {}
        for cable in self._cables:
            name = connection_name(cable)
            states[cable.cable_name] = self._state(cable, connections.get(name), grouped.get(name, ()))
        return states

    async def changes(self) -> AsyncIterator[None]:
        with self._charon.listening(self._inbox.put_nowait):
            while True:
                event = await self._next_event()
                if event is None or (not isinstance(event, _Rearm) and self._tunnels.hear(event)):
                    yield

    async def cleanup(self) -> Outcome:
        outcome = await self.sync(())
        if self._sweeper and any(isinstance(failure, CharonAway) for failure in outcome.failures):
            return _joined(outcome, await self._sweeper.sweep_all())
        return outcome

    def _state(self, cable: Cable, connection: IpsecConnection | None, own: Sequence[IkeSa]) -> CableState:
        name = connection_name(cable)
        if name in self._refused:
            return _failed(cable, self._refused[name])
        if reason := obstacle(cable):
            return _failed(cable, reason)
        if connection is None:
            return CableState(ConnectionStatus.CONNECTING, "waiting to be loaded into charon")
        return judge_cable(cable, connection, own, self._tunnels.cause(name), self._clock.now())

    async def _heal(self, loaded: Loaded) -> Outcome:
        """Start what is missing, end what is left over: counted as changes of the same step."""
        self._refused = dict(loaded.refused)
        wanted = [
            Wanted(connection, loaded.children[connection.name])
            for connection in self._plan.connections
            if connection.name not in self._refused
        ]
        sas = await self._charon.list_sas()
        commands = self._tunnels.judge(wanted, loaded.missing, sas, self._clock.monotonic())
        refusals = [refusal for command in commands for refusal in await self._execute(command)]
        self._inbox.put_nowait(_Rearm())
        return replace(
            loaded.outcome,
            changed=loaded.outcome.changed + len(commands) - len(refusals),
            failures=(*loaded.outcome.failures, *refusals),
        )

    async def _sweep(self, healed: Outcome, facts: CharonFacts) -> Outcome:
        if self._sweeper is None or esp.esp_provider(facts) != "kernel":
            return healed
        return _joined(healed, await self._sweeper.sweep(self._charon, self._plan.connections))

    async def _execute(self, command: Command) -> Iterable[Transient]:
        try:
            match command:
                case Initiate(wanted=wanted):
                    await self._charon.initiate(wanted.connection.name, wanted.child)
                case EndIke(unique_id=unique_id, hasty=hasty):
                    await self._charon.terminate_ike(unique_id, hasty=hasty)
                case EndChild(unique_id=unique_id):
                    await self._charon.terminate_child(unique_id)
        except CharonRefused as error:
            return (error,)
        return ()

    async def _next_event(self) -> CharonEvent | _Rearm | None:
        """The next event, or None when the time for another look has come."""
        due = self._tunnels.recheck
        if due is None:
            return await self._inbox.get()
        async with asyncio.TaskGroup() as group:
            event = group.create_task(self._inbox.get())
            alarm = group.create_task(self._clock.sleep(due - self._clock.monotonic()))
            await asyncio.wait((event, alarm), return_when=asyncio.FIRST_COMPLETED)
            alarm.cancel()
            event.cancel()
        if not event.cancelled():
            return event.result()
        self._tunnels.recheck = None
        return None


def _start_action(facts: CharonFacts) -> StartAction:
    # libipsec knows no trap policies before 5.9.11; its packets end in the TUN device anyway.
    return StartAction.TRAP if esp.esp_provider(facts) == "kernel" else StartAction.NONE


def _joined(charon: Outcome, swept: Outcome) -> Outcome:
    """One step for whoever reads the log: a tunnel's two halves."""
    return replace(
        charon,
        changed=charon.changed + swept.changed,
        removed=charon.removed + swept.removed,
        failures=(*charon.failures, *swept.failures),
    )


def _failed(cable: Cable, message: str) -> CableState:
    return CableState(ConnectionStatus.ERROR, message, using_ip=cable.address, using_nat=cable.nat)

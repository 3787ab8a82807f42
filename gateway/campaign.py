"""Carries out what the election asks for: reads and writes the Lease, waits, and passes on our role.

One call at a time, each cut off when the election says so; a call that was cut off may still have taken
effect, which the election takes into account.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from gateway.election import Election
from gateway.leadership import (
    Become,
    CallFailed,
    Event,
    Finish,
    LeaseRead,
    LeaseWritten,
    Read,
    Role,
    SetAside,
    Sleep,
    StopRequested,
    Woken,
    Write,
    WriteLost,
)
from gateway.leasefile import LeaseFile
from isthmus.kube.errors import ApiError
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.wait import event_within

log = structlog.get_logger()


class Campaign:
    """The running election of one gateway process."""

    def __init__(
        self, election: Election, file: LeaseFile, clock: Clock, on_role: Callable[[], None]
    ) -> None:
        self._election = election
        self._file = file
        self._clock = clock
        self._on_role = on_role
        self._inbox: deque[Event] = deque()
        self._news = asyncio.Event()
        self._calling = False

    @property
    def role(self) -> Role:
        """Our role now, also if the deadline passed since the election last spoke."""
        return self._election.role

    def leads(self) -> bool:
        """Whether we may write as the leader at this moment."""
        return self._election.leads(self._clock.monotonic())

    def look(self) -> None:
        """The Lease changed: do not wait for the next regular look; one look is enough for all changes."""
        if Woken() not in self._inbox:
            self._send(Woken())

    def set_aside(self, seconds: float, reason: str) -> None:
        """Let another gateway lead for at least *seconds*."""
        self._send(SetAside(self._clock.monotonic() + seconds, reason))

    async def run(self) -> None:
        """Take part in the election for ever."""
        await self._carry_on(Woken())

    async def withdraw(self) -> None:
        """Release the Lease if it is ours; for a process that is about to exit, after `run` was cancelled."""
        if self._calling:
            self._election.handle(CallFailed("interrupted"), self._clock.monotonic())
        self._inbox.clear()
        await self._carry_on(StopRequested())

    def _send(self, event: Event) -> None:
        self._inbox.append(event)
        self._news.set()

    async def _carry_on(self, event: Event) -> None:
        while True:
            commands = self._election.handle(event, self._clock.monotonic())
            for change in commands[:-1]:
                if isinstance(change, Become):
                    self._announce(change.role)
            match commands[-1]:
                case Read() | Write() as call:
                    event = await self._call(call)
                case Sleep(seconds):
                    event = await self._next(seconds)
                case Finish():
                    return
                case Become():
                    raise AssertionError("the election always ends with a call, a wait or the finish")

    def _announce(self, role: Role) -> None:
        log.info("role_changed", standing=role.standing.value, detail=role.detail)
        self._on_role()

    async def _next(self, seconds: float) -> Event:
        if not self._inbox:
            self._news.clear()
            await event_within(self._news, seconds, self._clock)
        return self._inbox.popleft() if self._inbox else Woken()

    async def _call(self, call: Read | Write) -> Event:
        self._calling = True
        try:
            async with asyncio.timeout(call.timeout):
                event = await self._read() if isinstance(call, Read) else await self._write(call)
        except TimeoutError:
            event = CallFailed(f"the API server did not answer within {call.timeout:.0f} s")
        except ApiError as error:
            event = CallFailed(str(error))
        self._calling = False
        return event

    async def _read(self) -> Event:
        return LeaseRead(await self._file.read())

    async def _write(self, call: Write) -> Event:
        sent = self._clock.monotonic()
        written = await self._file.write(call.holder, call.over, call.new_term)
        return WriteLost() if written is None else LeaseWritten(written, sent)

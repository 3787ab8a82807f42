"""A netlink conversation with the kernel: errors get their meaning here, interrupted dumps are read again."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pyroute2 import AsyncIPRoute
from pyroute2.netlink.exceptions import NetlinkDumpInterrupted, NetlinkError

from isthmus.dataplane.errors import Busy, Exists, Missing, refused

DUMP_ATTEMPTS = 5
"""Dumps read again because the table changed meanwhile, before the pass is left to try later."""

Message = Any
"""A decoded netlink message of pyroute2, which carries no types."""


@dataclass(frozen=True, slots=True)
class Session:
    """A netlink socket in the namespace of the thread that opened it."""

    socket: AsyncIPRoute
    one_dump: asyncio.Lock = field(default_factory=asyncio.Lock)
    """The kernel refuses a second dump on a socket while one goes on (EBUSY)."""

    async def write(self, what: str, request: Awaitable[Any]) -> None:
        """Send one change; *what* names it in the error, as in "add route 10.1.0.0/16"."""
        try:
            await request
        except NetlinkError as error:
            raise refused(what, error.code) from error

    async def put(self, what: str, request: Awaitable[Any]) -> None:
        """Like `write`, for an object whose key is the whole object: one there already is the same one."""
        with suppress(Exists):
            await self.write(what, request)

    async def drop(self, what: str, request: Awaitable[Any]) -> None:
        """Like `write`, for a removal: nothing to remove is success."""
        with suppress(Missing):
            await self.write(what, request)

    async def dump(self, what: str, request: Callable[[], Awaitable[Any]]) -> list[Message]:
        """Read a table as a whole; *request* starts a dump and is called again if it was interrupted."""
        for _ in range(DUMP_ATTEMPTS):
            try:
                async with self.one_dump:
                    return [message async for message in await request()]
            except NetlinkDumpInterrupted:
                continue
            except NetlinkError as error:
                raise refused(f"read {what}", error.code) from error
        raise Busy(f"cannot read {what}: it kept changing during {DUMP_ATTEMPTS} reads; it is tried again")


def index_of(device: str) -> int:
    """The number of a link in this thread's namespace; raises Missing."""
    try:
        return socket.if_nametoindex(device)
    except OSError as error:
        raise Missing(f"interface {device} does not exist") from error


def names_of_links() -> dict[int, str]:
    """The links of this thread's namespace by number."""
    return dict(socket.if_nameindex())


def attributes(message: Message) -> dict[str, Any]:
    """The attributes of a message by name; a repeated one keeps its last value."""
    return dict(pairs(message))


def pairs(message: Message) -> Iterable[tuple[str, Any]]:
    """The attributes of a message in order."""
    return ((pair[0], pair[1]) for pair in message.get("attrs") or ())

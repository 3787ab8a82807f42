"""A network of peers that answer pings, or do not, in virtual time."""

from __future__ import annotations

import asyncio

from crds.meta import IPAddress
from gateway.health.icmp import EchoRefused, Origin, Reply


class FakeEchoes:
    """Answers an echo at once for `alive` addresses, keeps it for `release` if `slow`, else drops it."""

    def __init__(self) -> None:
        self.alive: set[IPAddress] = set()
        self.slow: set[IPAddress] = set()
        self.refusal = ""
        self.sent: list[tuple[IPAddress, int, Origin]] = []
        self._held: list[Reply] = []
        self._replies: asyncio.Queue[Reply] = asyncio.Queue()

    def send(self, address: IPAddress, sequence: int, origin: Origin) -> None:
        if self.refusal:
            raise EchoRefused(self.refusal)
        self.sent.append((address, sequence, origin))
        if address in self.slow:
            self._held.append(Reply(address, sequence))
        elif address in self.alive:
            self._replies.put_nowait(Reply(address, sequence))

    async def receive(self) -> Reply:
        return await self._replies.get()

    def release(self) -> None:
        """Deliver what slow peers have kept back."""
        for reply in self._held:
            self._replies.put_nowait(reply)
        self._held.clear()

    def inject(self, reply: Reply) -> None:
        """Deliver a reply nobody asked for."""
        self._replies.put_nowait(reply)

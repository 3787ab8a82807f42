"""The way out of the host: its default route, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from crds.meta import Family, IPAddress


@dataclass(frozen=True, slots=True)
class Uplink:
    """The default route of the main table and the source address that the kernel gives packets on it."""

    device: str
    via: IPAddress | None
    source: IPAddress | None


class UplinkTable(Protocol):
    """The kernel's default routes."""

    async def best(self, family: Family) -> Uplink | None:
        """The default route with the lowest metric; None if there is none. Sends no packet."""

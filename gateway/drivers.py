"""What the gateway asks of any cable driver, and what a driver says back.

One driver is chosen in `gateway.__main__`; `gateway.strongswan` is the first one. A driver owns everything
that makes a cable (keys, connections, tunnel device); routes and status objects are for others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from crds.gateway import ConnectionStatus
from crds.meta import IPAddress
from gateway.plan.cables import Cable
from isthmus.reconcile.outcome import Outcome

EspProvider = Literal["kernel", "libipsec", "none"]


@dataclass(frozen=True, slots=True)
class DriverFacts:
    """What the rest of the gateway must know about the driver on this host."""

    interface_name: str | None
    """The device that routes to remote subnets must name; None if policies catch packets on any device."""
    needs_subnet_addresses: bool
    """The host must own an address in each of its local subnets before a tunnel can come up."""
    esp: EspProvider
    version: str


@dataclass(frozen=True, slots=True)
class Tunnel:
    """The encrypted link under a connected cable, for people who want to see that it is real."""

    initiator_spi: str
    responder_spi: str
    spi_in: str
    spi_out: str
    algorithm: str
    rx_bytes: int
    tx_bytes: int
    established_at: datetime


@dataclass(frozen=True, slots=True)
class CableState:
    """How one cable is doing; `message` is empty or one sentence that says what is wrong and what to do."""

    status: ConnectionStatus
    message: str = ""
    using_ip: IPAddress | None = None
    using_nat: bool | None = None
    tunnel: Tunnel | None = None


class CableDriver(Protocol):
    """A way to carry packets between two clusters' gateways."""

    @property
    def name(self) -> str:
        """The value published as `backend` in our Endpoint."""

    async def prepare(self) -> DriverFacts:
        """Find out what this host can do.

        Raises:
            Transient: what the driver needs (charon's socket) is not there yet.
        """

    async def sync(self, cables: Sequence[Cable]) -> Outcome:
        """Make these, and no other cables of ours, exist; failures of one leave the others alone."""

    async def states(self) -> Mapping[str, CableState]:
        """The state of each cable of the last `sync`, by cable name; never raises.

        When the tunnel daemon does not answer, every cable is in error and its message says so.
        """

    def changes(self) -> AsyncIterator[None]:
        """Yield, for ever, whenever another `sync` or `states` may give a new result."""

    async def cleanup(self) -> Outcome:
        """Remove every cable of ours, as `sync(())` does, also of earlier runs."""

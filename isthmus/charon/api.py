"""The boundary to charon: what the drivers may ask of it, whoever answers (`session`, or a fake in tests).

Every method raises `CharonAway` when charon cannot be reached and `CharonRefused` when it says no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from isthmus.charon.records import IkeSa, IpsecConnection, SharedSecret
from isthmus.reconcile.errors import Transient


class CharonAway(Transient):
    """Charon's socket is missing, refuses us or went silent; names the socket."""


class CharonRefused(Transient):
    """Charon answered that it will not; names the command and what it was about."""


@dataclass(frozen=True, slots=True)
class CharonFacts:
    """Which charon this is: its version (`5.9.8`) and the plugins that it loaded."""

    version: str
    plugins: frozenset[str]


@dataclass(frozen=True, slots=True)
class CameUp:
    """We are connected to a charon, perhaps a new and empty one."""


@dataclass(frozen=True, slots=True)
class WentAway:
    """The connection to charon was lost."""


@dataclass(frozen=True, slots=True)
class SaChanged:
    """An IKE_SA or CHILD_SA of the named connection came up or went down."""

    connection: str
    up: bool
    child: bool


@dataclass(frozen=True, slots=True)
class LogLine:
    """Charon said something about the named connection."""

    connection: str
    text: str


CharonEvent = CameUp | WentAway | SaChanged | LogLine


class Connections(Protocol):
    """The loaded connections, foreign ones included."""

    async def load_connection(self, connection: IpsecConnection) -> None:
        """Load or replace a connection of this name; SAs that exist are left alone."""

    async def unload_connection(self, name: str) -> None:
        """Unload a connection; its SAs are left alone."""

    async def loaded_connections(self) -> Mapping[str, frozenset[str]]:
        """Names of the children of every loaded connection, by connection name."""


class Secrets(Protocol):
    """The loaded shared secrets that have an identifier."""

    async def load_secret(self, secret: SharedSecret) -> None:
        """Load a secret under the identifier `naming.secret_name` gives."""

    async def unload_secret(self, identifier: str) -> None:
        """Forget one secret."""

    async def loaded_secrets(self) -> frozenset[str]:
        """Identifiers of all loaded secrets."""


class SecurityAssociations(Protocol):
    """The negotiated SAs."""

    async def list_sas(self, *, patiently: bool = False) -> tuple[IkeSa, ...]:
        """Every IKE_SA with its children, foreign ones included.

        One that charon is working on at the moment is left out, unless *patiently* waits for it.
        """

    async def initiate(self, connection: str, child: str) -> None:
        """Start to negotiate; returns at once, the result shows in `list_sas` and in events."""

    async def terminate_ike(self, unique_id: int, *, hasty: bool = False) -> None:
        """Delete one IKE_SA and its children; *hasty* tells the peer once and awaits no answer."""

    async def terminate_child(self, unique_id: int) -> None:
        """Delete one CHILD_SA."""


class Daemon(Protocol):
    """Charon as a process."""

    async def facts(self) -> CharonFacts:
        """What is running there."""

    def listening(self, post: Callable[[CharonEvent], None]) -> AbstractContextManager[None]:
        """Call *post* in the event loop with every event until the context ends; reconnects for ever."""


class Charon(Connections, Secrets, SecurityAssociations, Daemon, Protocol):
    """All of it."""

"""A charon in memory: it loads, lists and refuses as the real one; its peers answer if a test wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from isthmus.charon.api import (
    CameUp,
    CharonAway,
    CharonEvent,
    CharonFacts,
    CharonRefused,
    LogLine,
    SaChanged,
    WentAway,
)
from isthmus.charon.naming import child_name, secret_name
from isthmus.charon.records import ChildSa, IkeSa, IpsecConnection, SharedSecret
from isthmus.reconcile.errors import Transient

LIBIPSEC = CharonFacts("5.9.8", frozenset({"kernel-libipsec", "kernel-netlink", "vici"}))
AWAY = "charon does not answer at unix:///run/fake.vici (No such file or directory); start strongSwan"


class FakeCharon:
    """Implements `isthmus.charon.api.Charon`; `writes` counts what changed anything."""

    def __init__(self, facts: CharonFacts = LIBIPSEC, peers_answer: bool = True) -> None:
        self.running = facts
        self.peers_answer = peers_answer
        self.away = False
        self.connections: dict[str, IpsecConnection] = {}
        self.secrets: dict[str, SharedSecret] = {}
        self.sas: dict[int, IkeSa] = {}
        self.writes = 0
        self.initiated: list[str] = []
        self.failures: dict[str, Transient] = {}
        self._listeners: list[Callable[[CharonEvent], None]] = []
        self._serial = 0

    async def facts(self) -> CharonFacts:
        self._meet("facts")
        return self.running

    async def load_connection(self, connection: IpsecConnection) -> None:
        self._meet("load_connection")
        if "bogus" in connection.ike_proposals:
            raise CharonRefused(f"charon refused load-conn {connection.name}: invalid value for: proposals")
        self.connections[connection.name] = connection
        self.writes += 1

    async def unload_connection(self, name: str) -> None:
        self._meet("unload_connection")
        if name not in self.connections:
            raise CharonRefused(f"charon refused unload-conn {name}: connection '{name}' not found")
        del self.connections[name]
        self.writes += 1

    async def loaded_connections(self) -> Mapping[str, frozenset[str]]:
        self._meet("loaded_connections")
        return {name: frozenset({child_name(item)}) for name, item in self.connections.items()}

    async def load_secret(self, secret: SharedSecret) -> None:
        self._meet("load_secret")
        self.secrets[secret_name(secret)] = secret
        self.writes += 1

    async def unload_secret(self, identifier: str) -> None:
        self._meet("unload_secret")
        if self.secrets.pop(identifier, None) is not None:
            self.writes += 1

    async def loaded_secrets(self) -> frozenset[str]:
        self._meet("loaded_secrets")
        return frozenset(self.secrets)

    async def list_sas(self, *, patiently: bool = False) -> tuple[IkeSa, ...]:
        self._meet("list_sas")
        return tuple(self.sas.values())

    async def initiate(self, connection: str, child: str) -> None:
        self._meet("initiate")
        loaded = self.connections.get(connection)
        if loaded is None or child_name(loaded) != child:
            raise CharonRefused(f"charon refused initiate {connection}: CHILD_SA config '{child}' not found")
        self.initiated.append(connection)
        self.writes += 1
        self.negotiate(connection)
        if self.peers_answer:
            self.establish(connection)

    async def terminate_ike(self, unique_id: int, *, hasty: bool = False) -> None:
        self._meet("terminate_ike")
        if unique_id in self.sas:
            self.writes += 1
            self.lose(unique_id)

    async def terminate_child(self, unique_id: int) -> None:
        self._meet("terminate_child")
        for key, sa in list(self.sas.items()):
            kept = tuple(child for child in sa.children if child.unique_id != unique_id)
            if kept != sa.children:
                self.writes += 1
                self.sas[key] = replace(sa, children=kept)
                self.post(SaChanged(sa.name, up=False, child=True))

    @contextmanager
    def listening(self, post: Callable[[CharonEvent], None]) -> Iterator[None]:
        self._listeners.append(post)
        if not self.away:
            post(CameUp())
        try:
            yield
        finally:
            self._listeners.remove(post)

    def negotiate(self, name: str, initiator: bool = True) -> IkeSa:
        """An exchange with the peer is under way."""
        connection = self.connections[name]
        sa = IkeSa(
            name=name,
            unique_id=self._next(),
            state="CONNECTING",
            local_address=connection.local_address,
            remote_address=connection.remote_address,
            remote_port=connection.remote_port,
            initiator=initiator,
            initiator_spi=f"{self._next():016x}",
            responder_spi=f"{self._next():016x}",
            algorithm="AES_GCM_16_256/PRF_HMAC_SHA2_512/CURVE_25519",
            behind_nat=False,
            established_seconds=None,
            busy=True,
        )
        self.sas[sa.unique_id] = sa
        return sa

    def establish(self, name: str, spi: str = "") -> IkeSa:
        """The exchange under way, or a new one that the peer began, ends well."""
        connecting = next((sa for sa in self.sas.values() if sa.name == name and sa.busy), None)
        begun = connecting or self.negotiate(name, initiator=False)
        connection = self.connections[name]
        child = ChildSa(
            name=child_name(connection),
            unique_id=self._next(),
            state="INSTALLED",
            spi_in=spi or f"{self._next():08x}",
            spi_out=f"{0xF000_0000 + self._next():08x}",
            algorithm="AES_GCM_16_256",
            encapsulated=True,
            bytes_in=0,
            bytes_out=0,
            packets_in=0,
            packets_out=0,
            installed_seconds=0,
            rekey_seconds=3000,
            local_subnets=connection.local_subnets,
            remote_subnets=connection.remote_subnets,
        )
        sa = replace(begun, state="ESTABLISHED", established_seconds=0, busy=False, children=(child,))
        self.sas[sa.unique_id] = sa
        self.post(SaChanged(name, up=True, child=False))
        self.post(SaChanged(name, up=True, child=True))
        return sa

    def age(self, seconds: int) -> None:
        """Let every SA grow older."""
        for key, sa in self.sas.items():
            children = tuple(
                replace(child, installed_seconds=child.installed_seconds + seconds) for child in sa.children
            )
            established = None if sa.established_seconds is None else sa.established_seconds + seconds
            self.sas[key] = replace(sa, established_seconds=established, children=children)

    def lose(self, unique_id: int) -> None:
        """An IKE_SA ends, by whoever's doing."""
        sa = self.sas.pop(unique_id)
        if sa.children:
            self.post(SaChanged(sa.name, up=False, child=True))
        self.post(SaChanged(sa.name, up=False, child=False))

    def refuse(self, name: str, line: str) -> None:
        """Every attempt at a connection ends, and the log says why."""
        self.post(LogLine(name, line))
        for unique_id in [key for key, sa in self.sas.items() if sa.name == name]:
            self.lose(unique_id)

    def crash(self) -> None:
        """kill -9: everything is forgotten, the socket is gone."""
        self.away = True
        self.connections.clear()
        self.secrets.clear()
        self.sas.clear()
        self.post(WentAway())

    def restart(self) -> None:
        """A new and empty charon is there."""
        self.away = False
        self.post(CameUp())

    def fail_next(self, operation: str, error: Transient) -> None:
        """Refuse the next call of *operation*, a method's name."""
        self.failures[operation] = error

    def post(self, event: CharonEvent) -> None:
        """Tell every listener."""
        for listener in self._listeners:
            listener(event)

    def _meet(self, operation: str) -> None:
        if self.away:
            raise CharonAway(AWAY)
        if operation in self.failures:
            raise self.failures.pop(operation)

    def _next(self) -> int:
        self._serial += 1
        return self._serial

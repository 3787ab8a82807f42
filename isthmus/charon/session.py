"""The VICI conversation with a running charon: the only module that knows the `vici` package.

That package is synchronous. Commands take turns, each in a worker thread with a time limit; events have a
connection and a thread of their own. Both connections are made when needed and made again after a loss.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import vici
from vici.exception import CommandException, DeserializationException, EventUnknownException, SessionException

from isthmus.charon import message, sas
from isthmus.charon.api import CameUp, CharonAway, CharonEvent, CharonFacts, CharonRefused, WentAway
from isthmus.charon.events import EVENT_TYPES, parse_event
from isthmus.charon.naming import child_name, secret_name
from isthmus.charon.records import IkeSa, IpsecConnection, SharedSecret

COMMAND_SECONDS = 10.0
"""A charon that takes longer to answer is treated as gone."""
RECONNECT_SECONDS = 0.2
END_CHECK_SECONDS = 1.0
END_SECONDS = 2.0

R = TypeVar("R")


class ViciSession:
    """Charon behind one VICI socket; implements `api.Charon`."""

    def __init__(self, socket_path: Path) -> None:
        self._path = socket_path
        self._turn = threading.Lock()
        self._session: vici.Session | None = None

    async def load_connection(self, connection: IpsecConnection) -> None:
        body = {connection.name: message.connection_body(connection, child_name(connection))}
        await self._command(f"load-conn {connection.name}", lambda session: session.load_conn(body))

    async def unload_connection(self, name: str) -> None:
        await self._command(f"unload-conn {name}", lambda session: session.unload_conn({"name": name}))

    async def loaded_connections(self) -> Mapping[str, frozenset[str]]:
        listing = await self._command("list-conns", lambda session: list(session.list_conns()))
        loaded = (item for event in listing for item in event.items())
        return {name: frozenset(section.get("children", {})) for name, section in loaded}

    async def load_secret(self, secret: SharedSecret) -> None:
        identifier = secret_name(secret)
        body = message.secret_body(secret, identifier)
        await self._command(f"load-shared {identifier}", lambda session: session.load_shared(body))

    async def unload_secret(self, identifier: str) -> None:
        body = {"id": identifier}
        await self._command(f"unload-shared {identifier}", lambda session: session.unload_shared(body))

    async def loaded_secrets(self) -> frozenset[str]:
        answer = await self._command("get-shared", lambda session: session.get_shared())
        return frozenset(key.decode(errors="replace") for key in answer.get("keys", ()))

    async def list_sas(self, *, patiently: bool = False) -> tuple[IkeSa, ...]:
        # Without noblock one IKE_SA that is busy holds up the listing of all others.
        body = {"noblock": "no" if patiently else "yes"}
        listing = await self._command("list-sas", lambda session: list(session.list_sas(body)))
        return tuple(found for event in listing for found in sas.parse_ike_sas(event))

    async def initiate(self, connection: str, child: str) -> None:
        body = {"ike": connection, "child": child, "timeout": "-1"}
        await self._command(f"initiate {connection}", lambda session: list(session.initiate(body)))

    async def terminate_ike(self, unique_id: int, *, hasty: bool = False) -> None:
        force = "yes" if hasty else "no"
        await self._terminate({"ike-id": str(unique_id), "timeout": "-1", "force": force})

    async def terminate_child(self, unique_id: int) -> None:
        await self._terminate({"child-id": str(unique_id), "timeout": "-1"})

    async def facts(self) -> CharonFacts:
        version = await self._command("version", lambda session: session.version())
        stats = await self._command("stats", lambda session: session.stats())
        return CharonFacts(
            version=version.get("version", b"").decode(),
            plugins=frozenset(plugin.decode() for plugin in stats.get("plugins", ())),
        )

    @contextmanager
    def listening(self, post: Callable[[CharonEvent], None]) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def deliver(event: CharonEvent) -> None:
            # The loop may have closed since; then nobody waits for the event.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(post, event)

        listener = _Listener(self._path, deliver)
        # A daemon thread: a listener that was never ended must not keep the process alive.
        thread = threading.Thread(target=listener.run, name="vici-events", daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.end()
            # The event loop waits here: not for a thread that hangs, which then ends with the process.
            thread.join(END_SECONDS)

    def close(self) -> None:
        """Close the commands' connection; the next command opens it again."""
        with self._turn:
            self._drop()

    async def _terminate(self, body: Mapping[str, str]) -> None:
        try:
            await self._command(f"terminate {body}", lambda session: list(session.terminate(body)))
        except CharonRefused as error:
            if "no matching SAs" not in str(error):  # gone by itself since it was listed
                raise

    async def _command(self, what: str, call: Callable[[vici.Session], R]) -> R:
        return await asyncio.to_thread(self._take_turn, what, call)

    def _take_turn(self, what: str, call: Callable[[vici.Session], R]) -> R:
        # A lock among threads: a cancelled caller leaves its thread waiting for the answer or the time limit.
        with self._turn:
            return self._call(what, call)

    def _call(self, what: str, call: Callable[[vici.Session], R]) -> R:
        try:
            if self._session is not None:
                # A charon that restarted since the last command has closed our end; the new one is there.
                with suppress(BrokenPipeError, ConnectionResetError):
                    return call(self._session)
                self._drop()
            self._session = _connect(self._path)
            return call(self._session)
        except CommandException as error:
            reason = str(error).removeprefix("Command failed: ")
            raise CharonRefused(f"charon refused {what}: {reason}") from error
        except (OSError, SessionException, DeserializationException) as error:
            # After a time-out the stream may hold a late answer: only a new connection is safe.
            self._drop()
            raise self._away(error) from error

    def _drop(self) -> None:
        if self._session is not None:
            _close(self._session)
            self._session = None

    def _away(self, error: Exception) -> CharonAway:
        return CharonAway(
            f"charon does not answer at unix://{self._path} ({_reason(error)}); start strongSwan with its "
            "vici plugin on this host and check that its socket is this one"
        )


class _Listener:
    """The events' connection and what runs in its thread."""

    def __init__(self, path: Path, deliver: Callable[[CharonEvent], None]) -> None:
        self._path = path
        self._deliver = deliver
        self._ended = threading.Event()
        self._session: vici.Session | None = None

    def run(self) -> None:
        """Follow one charon after the other until the end."""
        while not self._ended.is_set():
            try:
                self._session = _connect(self._path)
            except OSError:
                self._ended.wait(RECONNECT_SECONDS)
                continue
            with suppress(OSError, SessionException, DeserializationException, EventUnknownException):
                self._follow(self._session)
            _close(self._session)
            self._deliver(WentAway())
            self._ended.wait(RECONNECT_SECONDS)

    def end(self) -> None:
        """Make `run` return soon; called from another thread."""
        self._ended.set()
        if self._session is not None:
            with suppress(OSError):
                self._session.transport.socket.shutdown(socket.SHUT_RDWR)

    def _follow(self, session: vici.Session) -> None:
        self._deliver(CameUp())
        for kind, body in session.listen(list(EVENT_TYPES), timeout=END_CHECK_SECONDS):
            if self._ended.is_set():
                return
            if kind is not None:
                for event in parse_event(kind.decode(), body):
                    self._deliver(event)


def _connect(path: Path) -> vici.Session:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(COMMAND_SECONDS)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return vici.Session(connection)


def _close(session: vici.Session) -> None:
    # Not Transport.close(): that one leaves the socket open when charon has already gone.
    session.transport.socket.close()


def _reason(error: Exception) -> str:
    text: Any = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return str(text) or type(error).__name__

"""What needs no charon; everything else is in tests/contract/test_charon.py."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from pathlib import Path

import pytest

from isthmus.charon.api import CharonAway, CharonEvent
from isthmus.charon.session import ViciSession


async def test_a_missing_socket_is_named_with_what_to_do(tmp_path: Path):
    session = ViciSession(tmp_path / "charon.vici")

    with pytest.raises(CharonAway) as refusal:
        await session.facts()

    assert str(refusal.value) == (
        f"charon does not answer at unix://{tmp_path}/charon.vici (No such file or directory); start "
        "strongSwan with its vici plugin on this host and check that its socket is this one"
    )


async def test_a_socket_that_hangs_up_is_a_charon_that_is_away(tmp_path: Path):
    path = tmp_path / "charon.vici"
    with closing(socket.socket(socket.AF_UNIX)) as server, closing(ViciSession(path)) as session:
        server.bind(str(path))
        server.listen()
        server.settimeout(0)

        with pytest.raises(CharonAway, match="does not answer"):
            await _hang_up(server, session)


async def test_listening_to_nobody_ends_when_told(tmp_path: Path):
    heard: list[CharonEvent] = []

    with ViciSession(tmp_path / "charon.vici").listening(heard.append):
        pass

    assert heard == []


async def _hang_up(server: socket.socket, session: ViciSession) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(_outcome(session))
        connection, _ = await loop.sock_accept(server)
        connection.close()
    error = asked.result()
    assert error is not None
    raise error


async def _outcome(session: ViciSession) -> CharonAway | None:
    try:
        await session.facts()
    except CharonAway as error:
        return error
    return None

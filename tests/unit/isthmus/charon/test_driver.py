from __future__ import annotations

from dataclasses import replace

import pytest

from isthmus.charon.api import CharonAway
from isthmus.charon.driver import sync_connections
from isthmus.charon.naming import secret_name
from isthmus.charon.records import Psk, SharedSecret
from isthmus.reconcile.outcome import Outcome
from tests.fakes.charon import FakeCharon
from tests.unit.isthmus.charon.worlds import connection

WEST, NORTH = connection("isthmus-west"), connection("isthmus-north")
SECRET = SharedSecret("isthmus-west", ("192.0.2.1", "192.0.2.2"), Psk("a"))


async def test_an_empty_charon_gets_everything():
    charon = FakeCharon()

    loaded = await sync_connections(charon, (WEST, NORTH), (SECRET,))

    assert loaded.outcome == Outcome("charon", added=3)
    assert loaded.missing == {"isthmus-west", "isthmus-north"}


async def test_a_new_driver_writes_nothing_to_a_charon_that_is_right():
    charon = FakeCharon()
    await sync_connections(charon, (WEST,), (SECRET,))
    before = charon.writes

    loaded = await sync_connections(charon, (WEST,), (SECRET,))

    assert (loaded.outcome.writes, loaded.missing, charon.writes) == (0, frozenset(), before)


async def test_a_new_key_is_there_before_the_old_one_goes():
    charon = FakeCharon()
    await sync_connections(charon, (WEST,), (SECRET,))
    rotated = replace(SECRET, psk=Psk("b"))
    held: list[frozenset[str]] = []
    unload = charon.unload_secret

    async def watched(identifier: str) -> None:
        held.append(await charon.loaded_secrets())
        await unload(identifier)

    charon.unload_secret = watched  # type: ignore[method-assign]
    loaded = await sync_connections(charon, (WEST,), (rotated,))

    assert held == [{secret_name(SECRET), secret_name(rotated)}]
    assert loaded.outcome == Outcome("charon", added=1, removed=1)


async def test_a_charon_that_goes_away_in_the_middle_ends_the_pass():
    charon = FakeCharon()
    charon.fail_next("load_secret", CharonAway("gone"))

    with pytest.raises(CharonAway, match="gone"):
        await sync_connections(charon, (WEST,), (SECRET,))


async def test_each_refusal_is_reported_with_its_connection_and_the_rest_is_loaded():
    charon = FakeCharon()
    bad = replace(NORTH, ike_proposals=("bogus",))

    loaded = await sync_connections(charon, (bad, WEST), ())

    assert loaded.refused == (
        ("isthmus-north", "charon refused load-conn isthmus-north: invalid value for: proposals"),
    )
    assert len(loaded.outcome.failures) == 1
    assert set(charon.connections) == {"isthmus-west"}

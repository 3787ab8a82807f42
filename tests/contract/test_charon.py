"""The charon in memory and a real one behave alike, and the driver obeys the four laws over both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from isthmus.charon.api import Charon, CharonAway, CharonEvent, CharonRefused, SaChanged
from isthmus.charon.driver import sync_connections
from isthmus.charon.naming import child_name, secret_name
from isthmus.charon.records import Initiation, IpsecConnection, Psk, SharedSecret
from isthmus.charon.session import ViciSession
from isthmus.reconcile.outcome import Outcome
from tests.fakes.charon import FakeCharon
from tests.laws import Faults, Subject, obeys_the_four_laws
from tests.strongswan import two_sites

Wanted = tuple[tuple[IpsecConnection, ...], tuple[SharedSecret, ...]]

HERE, THERE = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
OUR_SUBNETS = (IPv4Network("10.10.0.0/16"), IPv4Network("10.11.0.0/16"))
THEIR_SUBNETS = (IPv4Network("10.20.0.0/16"), IPv4Network("10.21.0.0/16"))
TUNNEL = IpsecConnection(
    name="isthmus-west",
    local_address=HERE,
    remote_address=THERE,
    local_port=4500,
    remote_port=4500,
    local_id=str(HERE),
    remote_id=str(THERE),
    local_subnets=OUR_SUBNETS,
    remote_subnets=THEIR_SUBNETS,
    ike_proposals=("aes256gcm16-prfsha512-curve25519",),
    esp_proposals=("aes256gcm16-curve25519", "aes256gcm16"),
)
SECRET = SharedSecret("isthmus-west", (str(HERE), str(THERE)), Psk("a key of the tests"))
MIRRORED = replace(
    TUNNEL,
    name="isthmus-east",
    local_address=THERE,
    remote_address=HERE,
    local_id=str(THERE),
    remote_id=str(HERE),
    local_subnets=THEIR_SUBNETS,
    remote_subnets=OUR_SUBNETS,
    initiation=Initiation.AFTER_GRACE,
)
FOREIGN = replace(TUNNEL, name="roadwarriors", remote_address=IPv4Address("192.0.2.77"))
FOREIGN_SECRET = SharedSecret("roadwarriors", ("a@example.org",), Psk("theirs"))


@dataclass
class World:
    """A charon whose peer at THERE answers."""

    charon: Charon
    events: list[CharonEvent]

    async def eventually(self, holds: Callable[[], Awaitable[bool]]) -> None:
        deadline = time.monotonic() + 10
        while not await holds():
            assert time.monotonic() < deadline, f"never came true; events: {self.events}"
            await asyncio.sleep(0.02)

    async def establish(self) -> None:
        await self.charon.load_secret(SECRET)
        await self.charon.load_connection(TUNNEL)
        await self.charon.initiate(TUNNEL.name, child_name(TUNNEL))
        await self.eventually(self.is_up)

    async def is_up(self) -> bool:
        sas = await self.charon.list_sas()
        return any(child.state == "INSTALLED" for sa in sas for child in sa.children)

    async def is_down(self) -> bool:
        return not await self.charon.list_sas()


@contextmanager
def real_charon() -> Iterator[tuple[Charon, Charon]]:
    with two_sites() as (here, there):
        here.start()
        there.start()
        with (
            closing(ViciSession(here.settings.vici_path)) as ours,
            closing(ViciSession(there.settings.vici_path)) as theirs,
        ):
            yield ours, theirs


@pytest.fixture(params=["fake", pytest.param("charon", marks=pytest.mark.root)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    events: list[CharonEvent] = []
    if request.param == "fake":
        charon = FakeCharon()
        with charon.listening(events.append):
            yield World(charon, events)
        return
    with real_charon() as (here, there):
        await there.load_secret(replace(SECRET, id="isthmus-east"))
        await there.load_connection(MIRRORED)
        with here.listening(events.append):
            yield World(here, events)


async def test_a_loaded_connection_is_listed_with_a_child_that_names_its_version(world: World):
    await world.charon.load_connection(TUNNEL)

    assert await world.charon.loaded_connections() == {TUNNEL.name: {child_name(TUNNEL)}}


async def test_loading_again_replaces_the_child_and_leaves_the_tunnel_up(world: World):
    await world.establish()
    changed = replace(TUNNEL, local_subnets=OUR_SUBNETS[:1])

    await world.charon.load_connection(changed)

    assert await world.charon.loaded_connections() == {TUNNEL.name: {child_name(changed)}}
    assert await world.is_up()


async def test_unloading_forgets_the_connection_and_leaves_the_tunnel_up(world: World):
    await world.establish()

    await world.charon.unload_connection(TUNNEL.name)

    assert await world.charon.loaded_connections() == {}
    assert await world.is_up()


async def test_unloading_what_is_not_loaded_is_refused_by_name(world: World):
    with pytest.raises(CharonRefused, match=r"charon refused unload-conn isthmus-nowhere"):
        await world.charon.unload_connection("isthmus-nowhere")


async def test_a_connection_that_makes_no_sense_is_refused_by_name(world: World):
    with pytest.raises(CharonRefused, match=r"charon refused load-conn isthmus-west: invalid value for"):
        await world.charon.load_connection(replace(TUNNEL, ike_proposals=("bogus",)))

    assert await world.charon.loaded_connections() == {}


async def test_secrets_are_listed_under_a_name_that_changes_with_the_key(world: World):
    other_key = replace(SECRET, psk=Psk("another"))

    await world.charon.load_secret(SECRET)
    await world.charon.load_secret(other_key)

    assert await world.charon.loaded_secrets() == {secret_name(SECRET), secret_name(other_key)}
    await world.charon.unload_secret(secret_name(SECRET))
    assert await world.charon.loaded_secrets() == {secret_name(other_key)}


async def test_unloading_a_secret_that_is_not_there_is_fine(world: World):
    await world.charon.unload_secret("isthmus-gone")


async def test_an_initiated_tunnel_comes_up_with_all_subnets_and_says_so(world: World):
    await world.establish()

    (sa,) = await world.charon.list_sas()
    (child,) = sa.children
    assert (sa.name, sa.state, sa.initiator, sa.remote_address) == (TUNNEL.name, "ESTABLISHED", True, THERE)
    assert (child.name, child.state, child.algorithm) == (child_name(TUNNEL), "INSTALLED", "AES_GCM_16_256")
    assert (child.local_subnets, child.remote_subnets) == (OUR_SUBNETS, THEIR_SUBNETS)
    assert len(child.spi_in) == len(child.spi_out) == 8

    async def said() -> bool:
        return SaChanged(TUNNEL.name, up=True, child=True) in world.events

    await world.eventually(said)


async def test_initiating_an_unknown_version_is_refused(world: World):
    await world.charon.load_connection(TUNNEL)

    with pytest.raises(CharonRefused, match=r"initiate isthmus-west: .*not found"):
        await world.charon.initiate(TUNNEL.name, "isthmus-000000000000")


async def test_a_terminated_tunnel_goes_and_says_so(world: World):
    await world.establish()
    (sa,) = await world.charon.list_sas()

    await world.charon.terminate_ike(sa.unique_id)

    await world.eventually(world.is_down)

    async def said() -> bool:
        return SaChanged(TUNNEL.name, up=False, child=False) in world.events

    await world.eventually(said)


async def test_a_terminated_child_leaves_the_ike_sa(world: World):
    await world.establish()
    (sa,) = await world.charon.list_sas()

    await world.charon.terminate_child(sa.children[0].unique_id)

    async def is_bare() -> bool:
        return [found.children for found in await world.charon.list_sas()] == [()]

    await world.eventually(is_bare)


async def test_terminating_what_has_gone_is_fine(world: World):
    await world.charon.terminate_ike(4711)
    await world.charon.terminate_child(4711)


async def test_the_facts_name_the_version_and_the_plugins(world: World):
    facts = await world.charon.facts()

    assert facts.version[0].isdigit()
    assert {"kernel-libipsec", "vici"} <= facts.plugins


async def test_the_driver_obeys_the_four_laws_beside_foreign_connections(world: World):
    charon = world.charon
    await charon.load_connection(FOREIGN)
    await charon.load_secret(FOREIGN_SECRET)
    north = replace(TUNNEL, name="isthmus-north", remote_address=IPv4Address("192.0.2.3"))
    north_secret = SharedSecret("isthmus-north", (str(HERE), "192.0.2.3"), Psk("north"))

    async def sync(wanted: Wanted) -> Outcome:
        return (await sync_connections(charon, *wanted)).outcome

    async def state() -> object:
        connections = await charon.loaded_connections()
        return sorted((name, *children) for name, children in connections.items()), sorted(
            await charon.loaded_secrets()
        )

    faults = None
    if isinstance(charon, FakeCharon):
        writes = ("load_connection", "unload_connection", "load_secret", "unload_secret")
        faults = Faults(writes, charon.fail_next, charon.failures.clear)
    moved = replace(TUNNEL, remote_subnets=THEIR_SUBNETS[:1])
    wanted: tuple[Wanted, ...] = (
        ((TUNNEL,), (SECRET,)),
        ((moved, north), (SECRET, north_secret)),
        ((north,), (replace(north_secret, psk=Psk("another")),)),
    )
    await obeys_the_four_laws(Subject(sync, state, wanted, ((), ()), faults))


async def test_one_bad_connection_leaves_the_others_alone(world: World):
    bad = replace(TUNNEL, name="isthmus-bad", ike_proposals=("bogus",))

    loaded = await sync_connections(world.charon, (bad, TUNNEL), (SECRET,))

    assert (loaded.outcome.added, len(loaded.outcome.failures)) == (2, 1)
    assert [name for name, _ in loaded.refused] == ["isthmus-bad"]
    assert set(await world.charon.loaded_connections()) == {TUNNEL.name}


@pytest.mark.root
async def test_a_charon_that_was_killed_is_away_until_the_next_one_answers():
    with two_sites() as (here, _):
        here.start()
        with closing(ViciSession(here.settings.vici_path)) as charon:
            await charon.load_connection(TUNNEL)

            here.kill()
            with pytest.raises(CharonAway, match=r"does not answer at unix:///.*vici .*start strongSwan"):
                await charon.loaded_connections()
            here.start()

            assert await charon.loaded_connections() == {}

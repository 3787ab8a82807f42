"""The cable driver in memory and the one over strongSwan keep the same promises to the gateway."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from crds.gateway import ConnectionStatus
from gateway.drivers import CableDriver
from gateway.plan.cables import plan_cable
from gateway.plan.ipsec import IpsecOptions
from gateway.strongswan import StrongswanDriver
from isthmus.charon.records import Psk
from isthmus.reconcile.errors import Transient
from tests.builders import endpoint_spec
from tests.fakes.cabledriver import FakeCableDriver
from tests.fakes.charon import FakeCharon
from tests.fakes.clock import FakeClock, settle

LOCAL = endpoint_spec("aaa", "10.96.0.0/16")
WEST = plan_cable(LOCAL, endpoint_spec("west", "10.97.0.0/16"))
NORTH = plan_cable(LOCAL, endpoint_spec("north", "10.98.0.0/16"))
MOVED = plan_cable(LOCAL, endpoint_spec("west", "10.97.0.0/16", "10.99.0.0/16"))


@dataclass
class Rig:
    """A driver and its tunnel daemon."""

    driver: CableDriver
    daemon: FakeCableDriver | FakeCharon
    clock: FakeClock


@pytest.fixture(params=["fake", "strongswan"])
def rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "fake":
        fake = FakeCableDriver()
        return Rig(fake, fake, FakeClock())
    charon, clock = FakeCharon(), FakeClock()
    return Rig(StrongswanDriver(charon, IpsecOptions(Psk("a key")), clock), charon, clock)


async def states(rig: Rig) -> dict[str, ConnectionStatus]:
    return {name: state.status for name, state in (await rig.driver.states()).items()}


async def test_the_backend_is_the_one_that_submariner_knows(rig):
    assert rig.driver.name == "libreswan"


async def test_facts_are_known_while_the_daemon_answers(rig):
    facts = await rig.driver.prepare()

    assert (facts.interface_name, facts.esp) == ("ipsec0", "libipsec")


async def test_cables_are_made_and_have_a_state_each(rig):
    outcome = await rig.driver.sync([WEST, NORTH])
    await rig.driver.sync([WEST, NORTH])

    assert outcome.added >= 2
    assert await states(rig) == dict.fromkeys((WEST.cable_name, NORTH.cable_name), ConnectionStatus.CONNECTED)


async def test_a_settled_set_of_cables_is_not_written_again(rig):
    await rig.driver.sync([WEST])
    await rig.driver.sync([WEST])

    assert (await rig.driver.sync([WEST])).writes == 0


async def test_a_cable_that_is_not_wanted_any_more_goes_and_leaves_the_other(rig):
    await rig.driver.sync([WEST, NORTH])

    outcome = await rig.driver.sync([NORTH])

    assert outcome.removed >= 1
    assert list(await states(rig)) == [NORTH.cable_name]


async def test_a_peer_with_other_subnets_is_a_change(rig):
    await rig.driver.sync([WEST])
    await rig.driver.sync([WEST])

    assert (await rig.driver.sync([MOVED])).writes > 0


async def test_cleaning_up_leaves_no_cable(rig):
    await rig.driver.sync([WEST, NORTH])

    outcome = await rig.driver.cleanup()

    assert (outcome.removed > 0, outcome.failures) == (True, ())
    assert await states(rig) == {}


async def test_a_dead_daemon_is_a_failure_in_words_and_never_an_exception_of_sync(rig):
    await rig.driver.sync([WEST])
    rig.daemon.crash()

    with pytest.raises(Transient, match="charon"):
        await rig.driver.prepare()
    for outcome in (await rig.driver.sync([WEST]), await rig.driver.cleanup()):
        assert len(outcome.failures) == 1


async def test_a_daemon_that_came_back_empty_gets_its_cables_again(rig):
    await rig.driver.sync([WEST])
    rig.daemon.crash()
    await rig.driver.sync([WEST])
    rig.daemon.restart()

    for _ in range(3):
        await rig.driver.sync([WEST])
        await rig.clock.advance(5.0)

    assert await states(rig) == {WEST.cable_name: ConnectionStatus.CONNECTED}


async def test_a_crash_is_news(rig):
    heard = asyncio.Event()

    async def listen() -> None:
        async for _ in rig.driver.changes():
            heard.set()

    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(listen())
        await settle()
        rig.daemon.crash()
        await settle()
        listening.cancel()

    assert heard.is_set()

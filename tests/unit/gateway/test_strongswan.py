from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from crds.endpoint import EndpointSpec
from crds.gateway import ConnectionStatus
from gateway.drivers import CableState, DriverFacts
from gateway.plan.cables import Cable, plan_cable
from gateway.plan.ipsec import IpsecOptions
from gateway.strongswan import StrongswanDriver
from isthmus.charon.api import CharonFacts, CharonRefused, LogLine
from isthmus.charon.records import Psk, StartAction
from isthmus.reconcile.outcome import Outcome
from tests.builders import endpoint_spec, networks
from tests.fakes.charon import FakeCharon
from tests.fakes.clock import FakeClock, settle

OPTIONS = IpsecOptions(Psk("QUJD"))
EAST = endpoint_spec("east", "10.1.0.0/16", private_ip="192.0.2.1")
WEST = endpoint_spec("west", "10.2.0.0/16", private_ip="192.0.2.2")
NORTH = endpoint_spec("north", "10.3.0.0/16", private_ip="192.0.2.3")
KERNEL = CharonFacts("6.0.1", frozenset({"kernel-netlink", "vici"}))
MISMATCH = "tried 1 shared key for '192.0.2.2' - '192.0.2.1', but MAC mismatched"


def cable(remote: EndpointSpec = WEST, local: EndpointSpec = EAST) -> Cable:
    return plan_cable(local, remote)


CABLE = cable()
NAME = f"isthmus-{WEST.cable_name}"


@dataclass
class Gateway:
    """A driver with a loop that runs a pass whenever `changes` says so."""

    charon: FakeCharon = field(default_factory=FakeCharon)
    clock: FakeClock = field(default_factory=FakeClock)
    cables: tuple[Cable, ...] = (CABLE,)
    passes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.driver = StrongswanDriver(self.charon, OPTIONS, self.clock)

    async def sync(self) -> Outcome:
        self.passes.append(await self.driver.sync(self.cables))
        return self.passes[-1]

    async def state(self) -> CableState:
        return (await self.driver.states())[CABLE.cable_name]

    async def follow(self) -> None:
        async for _ in self.driver.changes():
            await self.sync()


@asynccontextmanager
async def running(gateway: Gateway) -> AsyncIterator[Gateway]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(gateway.follow())
        await settle()
        yield gateway
        task.cancel()


async def test_the_first_pass_loads_and_starts_and_the_second_one_does_nothing():
    gateway = Gateway()

    assert await gateway.sync() == Outcome("charon", added=2, changed=1)
    assert await gateway.sync() == Outcome("charon")
    assert (await gateway.state()).status is ConnectionStatus.CONNECTED


async def test_the_first_pass_of_a_restarted_daemon_writes_nothing():
    gateway = Gateway()
    await gateway.sync()
    before = gateway.charon.writes
    restarted = Gateway(gateway.charon)

    assert await restarted.sync() == Outcome("charon")
    assert gateway.charon.writes == before


async def test_a_cable_that_is_not_wanted_any_more_goes_with_its_tunnel():
    gateway = Gateway(cables=(CABLE, cable(NORTH)))
    await gateway.sync()
    gateway.cables = (cable(NORTH),)

    await gateway.sync()

    assert set(gateway.charon.connections) == {f"isthmus-{NORTH.cable_name}"}
    assert {sa.name for sa in gateway.charon.sas.values()} == {f"isthmus-{NORTH.cable_name}"}
    assert set(await gateway.driver.states()) == {NORTH.cable_name}


async def test_a_renewed_key_takes_the_place_of_the_old_one():
    charon, keys = FakeCharon(), [Psk("QUJD")]
    driver = StrongswanDriver(charon, OPTIONS, FakeClock(), lambda: keys[-1])
    await driver.sync([CABLE])
    keys.append(Psk("REVG"))

    outcome = await driver.sync([CABLE])

    assert (outcome.added, outcome.removed) == (1, 1)
    assert [secret.psk.text for secret in charon.secrets.values()] == ["REVG"]


async def test_cleaning_up_leaves_only_what_is_foreign():
    gateway = Gateway()
    await gateway.sync()
    theirs = replace(gateway.charon.connections[NAME], name="roadwarriors")
    await gateway.charon.load_connection(theirs)
    gateway.charon.establish("roadwarriors")

    fresh = StrongswanDriver(gateway.charon, OPTIONS, gateway.clock)
    outcome = await fresh.cleanup()

    assert (outcome.removed, outcome.changed, outcome.failures) == (2, 1, ())
    assert set(gateway.charon.connections) == {"roadwarriors"}
    assert [sa.name for sa in gateway.charon.sas.values()] == ["roadwarriors"]
    assert gateway.charon.secrets == {}


async def test_changed_subnets_are_negotiated_before_the_old_tunnel_goes():
    gateway = Gateway()
    await gateway.sync()
    gateway.charon.age(60)
    grown = replace(WEST, subnets=(*WEST.subnets, *NORTH.subnets))
    gateway.cables = (cable(grown),)

    await gateway.sync()
    assert len(gateway.charon.sas) == 2
    gateway.charon.age(3)
    await gateway.sync()

    (sa,) = gateway.charon.sas.values()
    assert sa.children[0].remote_subnets == grown.subnets


async def test_one_bad_cable_shows_its_refusal_and_leaves_the_others_alone():
    gateway = Gateway(cables=(CABLE, cable(NORTH)))
    gateway.charon.fail_next("load_connection", CharonRefused("charon refused load-conn isthmus-x: too odd"))

    outcome = await gateway.sync()

    assert [str(failure) for failure in outcome.failures] == ["charon refused load-conn isthmus-x: too odd"]
    states = await gateway.driver.states()
    assert states[NORTH.cable_name].message == "charon refused load-conn isthmus-x: too odd"
    assert states[NORTH.cable_name].status is ConnectionStatus.ERROR
    assert states[WEST.cable_name].status is ConnectionStatus.CONNECTED


async def test_a_refused_start_is_a_failure_and_tried_again():
    gateway = Gateway()
    gateway.charon.fail_next("initiate", CharonRefused("charon refused initiate: busy"))

    outcome = await gateway.sync()
    await gateway.clock.advance(2)
    again = await gateway.sync()

    assert (outcome.changed, len(outcome.failures)) == (0, 1)
    assert (again.changed, again.failures) == (1, ())


@pytest.mark.parametrize("operation", ["facts", "loaded_connections", "loaded_secrets", "list_sas"])
async def test_a_charon_that_refuses_to_tell_something_is_a_failure_of_the_pass_and_tried_again(
    operation: str,
):
    gateway = Gateway()
    gateway.charon.fail_next(operation, CharonRefused(f"charon refused {operation}: busy"))

    assert [str(failure) for failure in (await gateway.sync()).failures] == [
        f"charon refused {operation}: busy"
    ]
    assert (await gateway.sync()).failures == ()


async def test_a_cable_with_nothing_to_carry_says_so():
    gateway = Gateway(cables=(cable(replace(WEST, subnets=networks("192.0.2.2/32"))),))

    await gateway.sync()

    assert gateway.charon.connections == {}
    assert (await gateway.state()).message.startswith("nothing to carry")


class TestWithoutCharon:
    async def test_a_pass_fails_with_the_reason_and_every_cable_shows_it(self):
        gateway = Gateway()
        gateway.charon.away = True

        outcome = await gateway.sync()

        assert "does not answer" in str(outcome.failures[0])
        state = await gateway.state()
        assert state.status is ConnectionStatus.ERROR
        assert state.message == str(outcome.failures[0])

    async def test_a_cable_that_could_not_be_loaded_yet_says_so(self):
        gateway = Gateway()
        gateway.charon.away = True
        await gateway.sync()
        gateway.charon.away = False

        assert (await gateway.state()).message == "waiting to be loaded into charon"


class TestChanges:
    async def test_a_killed_charon_gets_everything_again_as_soon_as_it_is_back(self):
        async with running(Gateway()) as gateway:
            await gateway.sync()
            gateway.charon.crash()
            await settle()
            assert (await gateway.state()).status is ConnectionStatus.ERROR

            gateway.charon.restart()
            await settle()

            assert (await gateway.state()).status is ConnectionStatus.CONNECTED
            assert gateway.clock.monotonic() == 0

    async def test_the_side_that_waits_does_not_wait_after_a_crash(self):
        waiting = cable(EAST, WEST)
        async with running(Gateway(cables=(waiting,))) as gateway:
            await gateway.clock.advance(10)
            gateway.charon.crash()
            await settle()

            gateway.charon.restart()
            await settle()

            states = await gateway.driver.states()
            assert states[EAST.cable_name].status is ConnectionStatus.CONNECTED
            assert len(gateway.charon.initiated) == 2

    async def test_the_side_that_waits_starts_after_three_seconds(self):
        waiting = cable(EAST, WEST)
        async with running(Gateway(cables=(waiting,))) as gateway:
            await gateway.clock.advance(2.9)
            assert gateway.charon.initiated == []

            await gateway.clock.advance(0.2)
            assert gateway.charon.initiated == [f"isthmus-{EAST.cable_name}"]

    async def test_a_wrong_key_shows_at_once_and_through_every_attempt(self):
        async with running(Gateway(FakeCharon(peers_answer=False))) as gateway:
            for _ in range(20):
                gateway.charon.refuse(NAME, MISMATCH)
                await gateway.clock.advance(1)
                state = await gateway.state()
                assert state.status is ConnectionStatus.ERROR
                assert state.message.startswith("wrong pre-shared key")

            assert 5 <= len(gateway.charon.initiated) <= 7

    async def test_the_message_goes_when_the_tunnel_comes_up(self):
        async with running(Gateway(FakeCharon(peers_answer=False))) as gateway:
            gateway.charon.refuse(NAME, MISMATCH)
            await settle()

            gateway.charon.establish(NAME)
            await settle()

            assert await gateway.state() == replace(await gateway.state(), message="")
            assert (await gateway.state()).status is ConnectionStatus.CONNECTED

    async def test_a_healthy_tunnel_causes_no_passes(self):
        async with running(Gateway()) as gateway:
            await gateway.clock.advance(60)
            before = len(gateway.passes)

            gateway.charon.post(LogLine(NAME, "sending packet: from 192.0.2.1[4500] to 192.0.2.2[4500]"))
            await gateway.clock.advance(600)

            assert len(gateway.passes) == before

    async def test_a_tunnel_that_ends_is_built_again(self):
        async with running(Gateway()) as gateway:
            gateway.charon.lose(next(iter(gateway.charon.sas)))
            await gateway.clock.advance(1)

            assert len(gateway.charon.initiated) == 2
            assert (await gateway.state()).status is ConnectionStatus.CONNECTED

    async def test_two_crossing_tunnels_become_one(self):
        async with running(Gateway()) as gateway:
            gateway.charon.establish(NAME)
            await settle()
            assert len(gateway.charon.sas) == 2

            gateway.charon.age(3)
            await gateway.clock.advance(4)

            assert len(gateway.charon.sas) == 1


class TestFacts:
    async def test_libipsec_names_its_device(self):
        assert await Gateway().driver.prepare() == DriverFacts("ipsec0", True, "libipsec", "5.9.8")

    async def test_kernel_esp_needs_no_device_and_traps_traffic(self):
        gateway = Gateway(FakeCharon(KERNEL))

        assert await gateway.driver.prepare() == DriverFacts(None, False, "kernel", "6.0.1")
        await gateway.sync()
        assert gateway.charon.connections[NAME].start_action is StartAction.TRAP

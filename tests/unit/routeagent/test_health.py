"""Health checks over a network that answers as a test says, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from crds.gateway import ConnectionStatus, Latency
from crds.meta import IPAddress
from routeagent.health import ROUNDS_KEPT, EchoRefused, HealthCheck, PeerReach, reach_of
from tests.fakes.clock import FakeClock

WEST, NORTH = ip_address("10.245.0.1"), ip_address("10.98.0.1")


class Answers:
    """Answers for the addresses in `alive` after that many seconds; counts who was asked."""

    def __init__(self) -> None:
        self.alive: dict[IPAddress, float] = {}
        self.refusal = ""
        self.asked: list[IPAddress] = []

    async def ask(self, addresses: Sequence[IPAddress]) -> Mapping[IPAddress, float]:
        self.asked += addresses
        if self.refusal:
            raise EchoRefused(self.refusal)
        return {address: self.alive[address] for address in addresses if address in self.alive}


class Rig:
    def __init__(self) -> None:
        self.answers, self.clock, self.changes = Answers(), FakeClock(), 0
        self.check = HealthCheck(self.answers, self.clock, 60.0, self.count)

    def count(self) -> None:
        self.changes += 1

    def shown(self, cable: str = "west") -> tuple[ConnectionStatus, str]:
        return reach_of(self.check.reach()[cable])[:2]


@asynccontextmanager
async def running(**targets: IPAddress | None) -> AsyncIterator[Rig]:
    rig = Rig()
    rig.check.aim(targets)
    async with asyncio.TaskGroup() as tasks:
        checking = tasks.create_task(rig.check.run())
        yield rig
        checking.cancel()


async def test_a_peer_that_answers_is_connected_and_asked_once_per_interval():
    async with running(west=WEST) as rig:
        rig.answers.alive = {WEST: 0.004}
        await rig.clock.advance(125)

        assert rig.shown() == (ConnectionStatus.CONNECTED, "")
        assert rig.answers.asked == [WEST] * 3


async def test_a_silent_peer_is_in_error_and_asked_again_soon():
    async with running(west=WEST) as rig:
        await rig.clock.advance(4)
        status, message = rig.shown()
        rig.answers.alive = {WEST: 0.004}
        await rig.clock.advance(2)

        assert status is ConnectionStatus.ERROR
        assert message == "the health-check address 10.245.0.1 does not answer pings from this node"
        assert rig.shown() == (ConnectionStatus.CONNECTED, "")


async def test_every_round_is_news_for_the_status():
    async with running(west=WEST) as rig:
        await rig.clock.advance(6)

        assert rig.changes == 2


async def test_nobody_is_pinged_when_there_is_nobody():
    async with running(west=None) as rig:
        await rig.clock.advance(100)

        assert (rig.answers.asked, rig.changes) == ([], 0)
        assert rig.shown()[0] is ConnectionStatus.NONE


async def test_a_host_that_allows_no_pings_says_so():
    async with running(west=WEST) as rig:
        rig.answers.refusal = "cannot send pings: no raw sockets"
        await rig.clock.advance(1)

        assert rig.shown() == (ConnectionStatus.ERROR, "cannot send pings: no raw sockets")


async def test_a_new_address_starts_with_new_figures_and_the_others_are_kept():
    async with running(west=WEST, north=NORTH) as rig:
        rig.answers.alive = {WEST: 0.004, NORTH: 0.004}
        await rig.clock.advance(1)
        rig.check.aim({"west": ip_address("10.245.0.2"), "north": NORTH})

        assert rig.shown("west")[0] is ConnectionStatus.NONE
        assert rig.shown("north")[0] is ConnectionStatus.CONNECTED


async def test_an_answer_that_comes_after_the_aim_changed_belongs_to_nobody():
    rig = Rig()
    rig.check.aim({"west": WEST})

    class Aiming(Answers):
        async def ask(self, addresses: Sequence[IPAddress]) -> Mapping[IPAddress, float]:
            rig.check.aim({"west": NORTH})
            return {WEST: 0.004}

    rig.check = HealthCheck(Aiming(), rig.clock, 60.0, rig.count)
    rig.check.aim({"west": WEST})
    await rig.check.ask_once()

    assert rig.shown()[0] is ConnectionStatus.NONE


def test_the_figures_are_of_the_last_rounds():
    peer = PeerReach(WEST)
    for number in range(ROUNDS_KEPT + 1):
        peer = peer.after(float(number), 1.0 if number == 0 else 0.002)

    latency = reach_of(peer)[2]
    assert latency is not None
    assert (latency.minimum, latency.maximum) == (0.002, 0.002)


def test_the_deviation_is_that_of_all_kept_rounds():
    peer = PeerReach(WEST).after(0.0, 0.001).after(60.0, 0.003)

    latency = reach_of(peer)[2]
    assert latency is not None
    assert (latency.last, latency.average) == (0.003, 0.002)
    assert latency.std_dev == pytest.approx(0.001)


def test_a_peer_that_fell_silent_keeps_its_last_figures():
    status, _, latency = reach_of(PeerReach(WEST).after(0.0, 0.001).after(60.0, None))

    assert (status, latency) == (ConnectionStatus.ERROR, Latency(0.001, 0.001, 0.001, 0.001, 0.0))


def test_health_checks_that_are_off_say_so():
    assert reach_of(None) == (ConnectionStatus.NONE, "health checks are switched off", None)

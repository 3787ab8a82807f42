"""The pinger over a fake network, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from gateway.health.icmp import Origin, Reply
from gateway.health.ping import Pinger, PingTiming
from gateway.health.stats import Reach
from tests.fakes.clock import FakeClock, settle
from tests.fakes.echoes import FakeEchoes

WEST = ip_address("10.97.0.1")
NORTH = ip_address("10.98.0.1")
FROM = Origin(ip_address("10.244.0.1"), "ipsec0")


class Rig:
    def __init__(self) -> None:
        self.echoes = FakeEchoes()
        self.clock = FakeClock()
        self.changes = 0
        self.pinger = Pinger(self.echoes, self.clock, PingTiming(1.0, 5), self.count)

    def count(self) -> None:
        self.changes += 1

    def reach(self, cable: str = "west") -> Reach:
        return self.pinger.health()[cable].reach


@asynccontextmanager
async def running() -> AsyncIterator[Rig]:
    rig = Rig()
    rig.pinger.aim({"west": WEST}, FROM)
    async with asyncio.TaskGroup() as tasks:
        pinging = tasks.create_task(rig.pinger.run())
        yield rig
        pinging.cancel()


async def test_each_peer_is_pinged_once_per_interval_from_the_given_origin():
    async with running() as rig:
        await rig.clock.advance(3.5)

    assert rig.echoes.sent == [(WEST, n, FROM) for n in (1, 2, 3, 4)]


async def test_a_peer_that_answers_is_reached():
    async with running() as rig:
        rig.echoes.alive = {WEST}
        await rig.clock.advance(0.5)

        assert rig.reach() is Reach.REACHED
        assert rig.pinger.health()["west"].round_trips.count == 1


async def test_a_peer_is_lost_after_six_silent_echoes_and_found_by_one_reply():
    async with running() as rig:
        rig.echoes.alive = {WEST}
        await rig.clock.advance(0.5)
        rig.echoes.alive = set()
        await rig.clock.advance(6.0)
        assert rig.reach() is Reach.REACHED

        await rig.clock.advance(1.0)
        assert (rig.reach(), rig.changes) == (Reach.LOST, 2)

        rig.echoes.alive = {WEST}
        await rig.clock.advance(1.0)
        assert (rig.reach(), rig.changes) == (Reach.REACHED, 3)


async def test_a_reply_slower_than_the_interval_still_counts_with_its_whole_time():
    async with running() as rig:
        rig.echoes.slow = {WEST}
        await rig.clock.advance(1.5)
        rig.echoes.release()
        await settle()

        health = rig.pinger.health()["west"]
        assert health.reach is Reach.REACHED
        assert health.round_trips.maximum == 1.5


async def test_a_duplicate_and_a_strangers_reply_change_nothing():
    async with running() as rig:
        rig.echoes.alive = {WEST}
        await rig.clock.advance(0.5)
        before = rig.pinger.health()
        rig.echoes.inject(Reply(NORTH, 1))
        rig.echoes.inject(Reply(WEST, 65000))
        await settle()

        assert rig.pinger.health() == before


async def test_an_echo_that_cannot_leave_counts_as_lost_and_tells_why():
    async with running() as rig:
        rig.echoes.refusal = "Network is unreachable"
        await rig.clock.advance(5.5)

        health = rig.pinger.health()["west"]
        assert health.reach is Reach.LOST
        assert health.message.endswith(": Network is unreachable")


async def test_new_aims_keep_the_figures_of_those_that_stay():
    async with running() as rig:
        rig.echoes.alive = {WEST, NORTH}
        await rig.clock.advance(0.5)
        rig.pinger.aim({"west": WEST, "north": NORTH}, FROM)
        kept = rig.pinger.health()

        rig.pinger.aim({"west": NORTH}, FROM)

        assert kept["west"].round_trips.count == 1
        assert rig.pinger.health()["west"].reach is Reach.UNKNOWN

"""Whole candidates against one API server, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crds.lease import parse_lease
from gateway.campaign import Campaign
from gateway.election import Election
from gateway.leadership import LeaseTimes, Role, Standing
from gateway.leasefile import LEASE, LeaseFile
from isthmus.kube.errors import Unavailable
from isthmus.kube.resources import LEASES
from tests.builders import NAMESPACE
from tests.fakes.clock import FakeClock, settle
from tests.fakes.kubeapi import FakeKube

TIMES = LeaseTimes(15.0, 10.0, 2.0)


class Candidate:
    """One gateway process; `news` counts its changes of role."""

    def __init__(self, name: str, kube: FakeKube, clock: FakeClock) -> None:
        self.news: list[Role] = []
        file = LeaseFile(kube, NAMESPACE, TIMES.duration, clock)
        self.campaign = Campaign(Election(name, TIMES), file, clock, self._note)
        self.task: asyncio.Task[None] | None = None

    def _note(self) -> None:
        self.news.append(self.campaign.role)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        self.task = tasks.create_task(self.campaign.run())

    def kill(self) -> None:
        assert self.task is not None
        self.task.cancel()


class Cluster:
    def __init__(self) -> None:
        self.kube = FakeKube(namespaces=[NAMESPACE])
        self.clock = FakeClock()
        self.one = Candidate("one", self.kube, self.clock)
        self.other = Candidate("other", self.kube, self.clock)

    @property
    def holder(self) -> str:
        found = self.kube.object(LEASES, NAMESPACE, LEASE)
        return parse_lease(found).holder if found else "nobody yet"


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    """Two candidates, of which the first leads."""
    world = Cluster()
    async with asyncio.TaskGroup() as tasks:
        world.one.start(tasks)
        await settle()
        world.other.start(tasks)
        await settle()
        yield world
        world.one.kill()
        world.other.kill()


async def test_the_first_to_come_leads_and_the_other_follows():
    async with cluster() as world:
        assert world.one.campaign.leads()
        assert world.other.campaign.role == Role(Standing.FOLLOWER, "one")


async def test_a_leader_stays_leader_for_as_long_as_it_lives():
    async with cluster() as world:
        await world.clock.advance(1800.0)

        assert world.one.campaign.leads()
        assert (len(world.one.news), len(world.other.news)) == (1, 1)


async def test_a_killed_leader_is_followed_after_the_lease_ran_out():
    async with cluster() as world:
        world.one.kill()
        await world.clock.advance(14.0)
        assert not world.other.campaign.leads()

        await world.clock.advance(4.0)
        assert world.other.campaign.leads()


async def test_a_leader_that_withdraws_is_followed_as_soon_as_the_lease_is_looked_at():
    async with cluster() as world:
        world.one.kill()
        await settle()
        await world.one.campaign.withdraw()
        assert world.holder == ""

        world.other.campaign.look()
        await settle()

        assert world.other.campaign.leads()


async def test_news_of_the_lease_that_come_while_the_server_hangs_call_for_one_look():
    async with cluster() as world:
        for _ in range(1000):
            world.other.campaign.look()
        before = len(world.kube.calls)
        await settle()

        assert len(world.kube.calls) - before == 1


async def test_a_restarted_leader_goes_on_at_once_under_its_own_name():
    async with cluster() as world:
        world.one.kill()
        again = Candidate("one", world.kube, world.clock)
        async with asyncio.TaskGroup() as tasks:
            again.start(tasks)
            await settle()

            assert again.campaign.leads()
            again.kill()


async def test_with_the_api_away_the_leader_steps_back_in_time_and_nobody_takes_over():
    async with cluster() as world:
        world.kube.refuse(Unavailable)
        await world.clock.advance(9.0)
        assert world.one.campaign.leads()

        await world.clock.advance(60.0)
        assert not world.one.campaign.leads()
        assert world.one.campaign.role.standing is Standing.UNDECIDED
        assert "cannot get leases" in world.one.campaign.role.detail
        assert not world.other.campaign.leads()


async def test_when_the_api_comes_back_exactly_one_leads_again():
    async with cluster() as world:
        world.kube.refuse(Unavailable)
        await world.clock.advance(60.0)
        world.kube.accept_all()
        await world.clock.advance(5.0)

        assert [one.campaign.leads() for one in (world.one, world.other)].count(True) == 1


async def test_a_gateway_that_sets_itself_aside_is_followed_and_leads_again_when_left_alone():
    async with cluster() as world:
        world.one.campaign.set_aside(60.0, "charon does not answer")
        await world.clock.advance(2.5)
        assert world.one.campaign.role.standing is Standing.FOLLOWER
        assert world.other.campaign.leads()

        world.other.kill()
        await world.clock.advance(90.0)
        assert world.one.campaign.leads()


async def test_a_process_killed_in_the_middle_of_a_call_still_releases_its_lease():
    async with cluster() as world:
        hanging = HangingKube(world.kube)
        late = Candidate("late", hanging, world.clock)  # type: ignore[arg-type]
        world.one.kill()
        world.other.kill()
        await world.one.campaign.withdraw()
        async with asyncio.TaskGroup() as tasks:
            late.start(tasks)
            await settle()
            assert world.holder == "late"
            late.kill()
            await settle()
        hanging.hang = False

        await late.campaign.withdraw()

        assert world.holder == ""


class HangingKube:
    """Carries out every write and never answers it."""

    def __init__(self, kube: FakeKube) -> None:
        self._kube = kube
        self.hang = True

    async def get(self, *call):
        return await self._kube.get(*call)

    async def create(self, *call):
        return await self._answer(await self._kube.create(*call))

    async def replace(self, *call):
        return await self._answer(await self._kube.replace(*call))

    async def _answer(self, stored):
        if self.hang:
            await asyncio.Event().wait()
        return stored

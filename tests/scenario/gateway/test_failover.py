"""Two gateways of one cluster: who holds the cables, and when they change hands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crds.gateway import HaStatus
from isthmus.kube.errors import Unavailable
from tests.scenario.gateway.rig import Node, World, running

WRITES = ("create", "update", "patch", "delete")


class Pair:
    """Two nodes; the first one leads to begin with."""

    def __init__(self) -> None:
        self.world = World()
        self.world.peer_joins("west", "10.97.0.0/16", "10.245.0.0/16")
        self.one = Node(self.world, "one", "172.18.0.2")
        self.other = Node(self.world, "other", "172.18.0.3")

    @property
    def announced(self) -> list[str]:
        return [endpoint.spec.hostname for endpoint in self.world.own_endpoints()]

    @property
    def roles(self) -> dict[str, HaStatus]:
        return {name: gateway.status.ha_status for name, gateway in self.world.gateways().items()}

    @property
    def cables(self) -> tuple[int, int]:
        return len(self.one.driver.held), len(self.other.driver.held)

    async def advance(self, seconds: float) -> None:
        await self.world.clock.advance(seconds)


@asynccontextmanager
async def pair() -> AsyncIterator[Pair]:
    both = Pair()
    async with running(both.one, both.other):
        await both.advance(10.0)
        yield both


async def test_one_is_active_and_holds_the_cables_the_other_stands_by():
    async with pair() as both:
        assert both.roles == {"one": HaStatus.ACTIVE, "other": HaStatus.PASSIVE}
        assert both.cables == (1, 0)
        assert both.announced == ["one"]


async def test_a_killed_gateway_is_replaced_and_its_endpoint_and_status_go():
    async with pair() as both:
        await both.one.kill()
        await both.advance(20.0)

        assert both.announced == ["other"]
        assert both.cables[1] == 1
        await both.advance(10.0)
        assert both.roles == {"other": HaStatus.ACTIVE}


async def test_at_the_broker_the_new_endpoint_is_there_before_the_old_one_goes():
    async with pair() as both:
        before = len(both.world.broker.calls)
        await both.one.kill()
        await both.advance(20.0)

        writes = [(call.verb, call.name) for call in both.world.broker.calls[before:] if call.verb in WRITES]
        assert writes == [
            ("create", "east-submariner-cable-east-172-18-0-3"),
            ("delete", "east-submariner-cable-east-172-18-0-2"),
        ]


async def test_a_terminated_gateway_is_replaced_at_once():
    async with pair() as both:
        await both.one.terminate()
        await both.advance(1.0)

        assert both.announced == ["other"]
        assert both.cables[1] == 1


async def test_a_gateway_behind_a_partition_drops_its_cables_once_it_learns_of_the_new_leader():
    async with pair() as both:
        both.one.line.cut = True
        await both.advance(12.0)
        assert both.cables == (1, 0)
        assert both.announced == ["one"]

        await both.advance(10.0)
        assert both.announced == ["other"]
        assert both.cables == (1, 1)

        both.one.line.cut = False
        await both.advance(10.0)
        assert both.cables == (0, 1)
        assert both.roles == {"one": HaStatus.PASSIVE, "other": HaStatus.ACTIVE}


async def test_with_the_api_away_from_both_nobody_takes_over_and_the_cables_stay():
    async with pair() as both:
        both.world.kube.refuse(Unavailable)
        await both.advance(120.0)

        assert both.cables == (1, 0)


async def test_a_gateway_without_charon_steps_aside_for_one_that_has_it():
    async with pair() as both:
        both.one.driver.crash()
        await both.advance(40.0)

        assert both.announced == ["other"]
        assert both.roles == {"one": HaStatus.PASSIVE, "other": HaStatus.ACTIVE}
        assert "cannot reach charon" in both.world.gateways()["one"].status.status_failure


async def test_a_charon_that_comes_back_within_seconds_moves_nothing():
    async with pair() as both:
        both.one.driver.crash()
        await both.advance(5.0)
        both.one.driver.restart()
        await both.advance(60.0)

        assert both.announced == ["one"]


async def test_a_gateway_without_charon_stays_if_the_other_has_none_either():
    async with pair() as both:
        both.one.driver.crash()
        both.other.driver.crash()
        await both.advance(120.0)

        assert both.announced == ["one"]
        assert both.roles["one"] is HaStatus.ACTIVE


async def test_a_returned_gateway_does_not_take_the_lead_back():
    async with pair() as both:
        await both.one.kill()
        await both.advance(20.0)
        assert both.cables == (1, 1)

        async with running(both.one):
            await both.advance(20.0)

            assert both.announced == ["other"]
            assert both.cables == (0, 1)

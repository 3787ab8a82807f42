"""The kernel's state depends on the last world alone, not on the way that led there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routeagent.agent import RouteAgent
from routeagent.config import read_settings
from routeagent.departed import Departures
from routeagent.stores import Stores
from tests.fakes.clock import FakeClock
from tests.scenario.routeagent.worlds import WORLDS
from tests.unit.routeagent.hosts import FakeHost, fake_host
from tests.unit.routeagent.test_config import COMPLETE
from tests.unit.routeagent.worlds import GATEWAY

STORY = tuple(WORLDS)
EXPANSIONS = {
    "forward": STORY,
    "reversed": STORY[::-1],
    "with_duplicates": tuple(chain.from_iterable((name, name) for name in STORY)),
    "with_an_empty_world_between": tuple(chain.from_iterable(("nobody", name) for name in STORY)),
    "squashed": STORY[-1:],
    "back_and_forth": tuple(chain.from_iterable((a, b, a) for a, b in pairwise(STORY))),
}


def _restarted(host: FakeHost, stores: Stores) -> RouteAgent:
    # Departed subnets are the one thing that history may leave behind, for a minute; here it is over at once.
    departures = Departures(FakeClock(), hold=0.0)
    variables = COMPLETE | {"NODE_NAME": GATEWAY}
    return RouteAgent(read_settings(variables), stores, host.host, departures, 4, lambda: None)


async def _after(names: Iterable[str], *, restarts: bool = False) -> dict[str, object]:
    host, stores = fake_host(GATEWAY), Stores()
    agent = _restarted(host, stores)
    for name in names:
        world = WORLDS[name]
        stores.clusters.replace(world.clusters)
        stores.endpoints.replace(world.endpoints)
        stores.nodes.replace(world.nodes)
        agent = _restarted(host, stores) if restarts else agent
        report = await agent.run_pass()
        assert report.failures == (), name
    return await host.state()


@pytest.mark.parametrize("expansion", EXPANSIONS)
async def test_every_way_through_the_story_ends_like_its_last_world(expansion):
    names = EXPANSIONS[expansion]

    assert await _after(names) == await _after(names[-1:])


@pytest.mark.parametrize(("before", "after"), tuple(permutations(STORY, 2)))
async def test_every_step_between_two_worlds_ends_like_the_second(before, after):
    assert await _after([before, after]) == await _after([after])


async def test_restarts_on_the_way_change_nothing():
    assert await _after(STORY, restarts=True) == await _after(STORY[-1:])


@given(st.lists(st.sampled_from(STORY), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
async def test_any_sequence_ends_like_its_last_world(names: Sequence[str]):
    assert await _after(names) == await _after(names[-1:])

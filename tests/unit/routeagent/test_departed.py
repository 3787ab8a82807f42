from __future__ import annotations

from routeagent.departed import Departures
from tests import builders
from tests.fakes.clock import FakeClock

WEST = frozenset(builders.networks("10.97.0.0/16", "10.245.0.0/16"))
NORTH = frozenset(builders.networks("10.98.0.0/16"))


async def test_a_subnet_that_left_stays_closed_for_a_while_and_is_forgotten_then():
    clock = FakeClock()
    departures = Departures(clock, hold=60.0)
    departures.note(WEST | NORTH)

    assert departures.note(WEST) == tuple(NORTH)
    await clock.advance(59)
    assert departures.note(WEST) == tuple(NORTH)
    await clock.advance(1)
    assert departures.note(WEST) == ()


def test_a_subnet_that_came_back_is_no_longer_departed():
    departures = Departures(FakeClock())
    departures.note(WEST)
    departures.note(frozenset())

    assert departures.note(WEST) == ()


def test_the_first_world_has_no_departures():
    assert Departures(FakeClock()).note(WEST) == ()


def test_departures_are_told_in_a_fixed_order():
    departures = Departures(FakeClock())
    departures.note(WEST | NORTH)

    assert departures.note(frozenset()) == builders.networks("10.97.0.0/16", "10.98.0.0/16", "10.245.0.0/16")

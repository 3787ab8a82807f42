from __future__ import annotations

from tests.unit.routeagent.worlds import WORKER, own, west, world


def test_equal_worlds_are_equal_values():
    assert world(WORKER, west(), local=own()) == world(WORKER, west(), local=own())
    assert hash(world(WORKER, west(), local=own())) == hash(world(WORKER, west(), local=own()))

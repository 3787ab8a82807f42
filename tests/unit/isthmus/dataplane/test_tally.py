from __future__ import annotations

from isthmus.dataplane.tally import Tally
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome


async def works() -> None:
    return


async def is_refused() -> None:
    raise Transient("not now")


async def test_refused_writes_are_collected_and_the_others_counted():
    tally = Tally("routes")

    assert await tally.write("added", works())
    assert not await tally.write("added", is_refused())
    assert await tally.write("removed", works())

    outcome = tally.outcome()
    assert (outcome.step, outcome.added, outcome.changed, outcome.removed) == ("routes", 1, 0, 1)
    assert [str(error) for error in outcome.failures] == ["not now"]


async def test_batch_counts_all_of_its_objects_or_none():
    tally = Tally("ruleset")

    await tally.batch({"added": 3, "removed": 2}, works())
    await tally.batch({"added": 9}, is_refused())

    outcome = tally.outcome()
    assert (outcome.added, outcome.removed, len(outcome.failures)) == (3, 2, 1)


def test_nothing_done_is_an_empty_outcome():
    assert Tally("rules").outcome() == Outcome("rules")

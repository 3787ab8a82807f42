from __future__ import annotations

from isthmus.dataplane.converge import converge
from isthmus.dataplane.tally import Tally
from isthmus.reconcile.delta import diff
from isthmus.reconcile.errors import Transient


class Log:
    """Remembers writes in order and refuses one value."""

    def __init__(self, refused=""):
        self.lines: list[str] = []
        self.refused = refused

    def verb(self, name):
        async def write(value):
            if value == self.refused:
                raise Transient(f"refused {value}")
            self.lines.append(f"{name} {value}")

        return write

    async def run(self, desired, actual):
        tally = Tally("test")
        add, change, drop = self.verb("add"), self.verb("change"), self.verb("drop")
        await converge(tally, diff(desired, actual), add=add, change=change, drop=drop)
        return tally.outcome()


async def test_adds_come_before_changes_and_changes_before_removals():
    log = Log()

    await log.run({1: "new", 2: "changed"}, {2: "old", 3: "gone"})

    assert log.lines == ["add new", "change changed", "drop gone"]


async def test_refused_write_stops_no_other():
    log = Log(refused="new")

    outcome = await log.run({1: "new", 2: "changed"}, {2: "old", 3: "gone"})

    assert log.lines == ["change changed", "drop gone"]
    assert (outcome.added, outcome.changed, outcome.removed, len(outcome.failures)) == (0, 1, 1, 1)

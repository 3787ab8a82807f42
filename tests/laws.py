"""The four laws that every driver is held to, against its fake and against the kernel.

1. It converges: from nothing, and from any other wanted state, to the same state.
2. A second pass writes nothing.
3. It heals: a pass with a refused operation reports it, and the next pass arrives.
4. A fresh driver that wants nothing removes all of ours and leaves everything foreign as it was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import permutations
from typing import Generic, TypeVar

from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Faults:
    """How to have the world refuse an operation once, and the operations that the driver uses."""

    operations: tuple[str, ...]
    fail_next: Callable[[str, Transient], None]
    forget: Callable[[], None]
    """Take back refusals that no operation met."""


@dataclass(frozen=True, slots=True)
class Subject(Generic[D]):
    """A driver in a world that already holds foreign objects of the driver's kind."""

    sync: Callable[[D], Awaitable[Outcome]]
    """A pass of a driver that remembers nothing."""
    state: Callable[[], Awaitable[object]]
    """All there is in the world, ours and foreign, comparable."""
    wanted: tuple[D, ...]
    """At least two states that differ by added, changed and removed objects."""
    nothing: D
    faults: Faults | None = None


async def obeys_the_four_laws(subject: Subject[D]) -> None:
    """Raise AssertionError with the law that is broken."""
    before = await subject.state()
    arrived = [await _arrive(subject, wanted) for wanted in subject.wanted]
    assert len({repr(state) for state in arrived}) == len(arrived), "the wanted states must differ"

    for here, there in permutations(range(len(arrived)), 2):
        await _arrive(subject, subject.wanted[here])
        assert await _arrive(subject, subject.wanted[there]) == arrived[there], "law 1: history shows"

    if subject.faults is not None:
        for operation in subject.faults.operations:
            await _heals(subject, subject.faults, operation, arrived)

    assert await _arrive(subject, subject.nothing) == before, "law 4: removal leaves another world"


async def _arrive(subject: Subject[D], wanted: D) -> object:
    outcome = await subject.sync(wanted)
    assert outcome.failures == (), f"law 1: {outcome}"
    again = await subject.sync(wanted)
    assert again.writes == 0, f"law 2: the second pass wrote: {again}"
    assert again.failures == (), f"law 2: {again}"
    return await subject.state()


async def _heals(subject: Subject[D], faults: Faults, operation: str, arrived: list[object]) -> None:
    """Refuse *operation* on each way between two states; at least one of them must use it."""
    met = 0
    places = [*subject.wanted, subject.nothing]
    for here, there in permutations(range(len(places)), 2):
        await _arrive(subject, places[here])
        refusal = Transient(f"refused {operation} for a test")
        faults.fail_next(operation, refusal)
        reported = await _reported(subject, places[there])
        faults.forget()
        met += refusal in reported
        state = await _arrive(subject, places[there])
        assert there >= len(arrived) or state == arrived[there], f"law 3: not healed after {operation}"
    assert met, f"no pass used the operation {operation}"


async def _reported(subject: Subject[D], wanted: D) -> tuple[Transient, ...]:
    try:
        return (await subject.sync(wanted)).failures
    except Transient as error:
        return (error,)

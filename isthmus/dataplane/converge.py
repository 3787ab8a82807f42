"""The one way in which every driver turns a difference into writes.

Adds and changes go before removals; each refused write is collected and does not stop the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

from isthmus.dataplane.tally import Tally
from isthmus.reconcile.delta import Delta

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Write = Callable[[V], Awaitable[None]]


async def converge(
    tally: Tally, delta: Delta[K, V], *, add: Write[V], change: Write[V], drop: Write[V]
) -> None:
    """Carry out *delta*, counting in *tally*."""
    for value in delta.added.values():
        await tally.write("added", add(value))
    for value in delta.changed.values():
        await tally.write("changed", change(value))
    for value in delta.removed.values():
        await tally.write("removed", drop(value))

"""Wanted connections and secrets against those that charon holds: what is missing or differs gets loaded.

Only names that begin with `naming.OWNED_PREFIX` are ever touched. SAs are for `healing`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from isthmus.charon.api import Charon, CharonAway
from isthmus.charon.naming import child_name, is_ours, secret_name
from isthmus.charon.records import IpsecConnection, SharedSecret
from isthmus.reconcile.delta import diff
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome

STEP = "charon"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a pass over charon's configuration did."""

    outcome: Outcome
    children: Mapping[str, str]
    """The child of each wanted connection, in its present version."""
    missing: frozenset[str] = frozenset()
    """Connections that charon did not hold at all before."""
    refused: tuple[tuple[str, str], ...] = ()
    """Connections that charon does not take, each with the reason."""


async def sync_connections(
    charon: Charon, connections: Iterable[IpsecConnection], secrets: Iterable[SharedSecret]
) -> Loaded:
    """Bring charon's configuration to these, and no other connections and secrets of ours.

    What charon refuses is a failure of that item alone. Raises CharonAway when charon cannot be reached.
    """
    wanted = {connection.name: connection for connection in connections}
    children = {name: child_name(item) for name, item in wanted.items()}
    wanted_secrets = {secret_name(secret): secret for secret in secrets}
    held_secrets = {name for name in await charon.loaded_secrets() if is_ours(name)}
    loaded = {name: found for name, found in (await charon.loaded_connections()).items() if is_ours(name)}
    delta = diff({name: frozenset({child}) for name, child in children.items()}, loaded)
    tally = _Tally()
    # Secrets come first and leave last: a connection may be used the moment that it is loaded.
    for name in sorted(wanted_secrets.keys() - held_secrets):
        await tally.count("added", charon.load_secret, wanted_secrets[name], name)
    for name in sorted(delta.added):
        await tally.count("added", charon.load_connection, wanted[name], name)
    for name in sorted(delta.changed):
        await tally.count("changed", charon.load_connection, wanted[name], name)
    for name in sorted(delta.removed):
        await tally.count("removed", charon.unload_connection, name, name)
    for name in sorted(held_secrets - wanted_secrets.keys()):
        await tally.count("removed", charon.unload_secret, name, name)
    return Loaded(
        outcome=tally.outcome(),
        children=children,
        missing=frozenset(delta.added),
        refused=tuple((name, str(error)) for name, error in tally.refusals if name in wanted),
    )


class _Tally:
    """Counts the writes of one pass and keeps the refusals."""

    def __init__(self) -> None:
        self._counts = {"added": 0, "changed": 0, "removed": 0}
        self.refusals: list[tuple[str, Transient]] = []

    async def count(self, kind: str, write: Callable[[T], Awaitable[None]], item: T, name: str) -> None:
        try:
            await write(item)
        except CharonAway:
            raise  # nothing else of this pass can work
        except Transient as error:
            self.refusals.append((name, error))
        else:
            self._counts[kind] += 1

    def outcome(self) -> Outcome:
        return Outcome(STEP, **self._counts, failures=tuple(error for _, error in self.refusals))

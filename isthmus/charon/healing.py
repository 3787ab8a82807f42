"""From what is wanted and which SAs exist to what has to be done about them: pure, time comes in as a number.

The two ends of a tunnel decide without talking to each other, so every rule here gives the same result on
both ends. A changed connection gets its new SA before the old one goes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from isthmus.charon.naming import is_ours
from isthmus.charon.records import ChildSa, IkeSa, Initiation, IpsecConnection

GRACE_SECONDS = 3.0
"""How long the side that waits gives the other one to start."""
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Waits after the first, second, ... attempt that charon gave up (a refusal; silence it retries itself)."""
SETTLE_SECONDS = 3
"""How old an SA must be before others go for its sake: the peer has it then, and a rekeying is over."""

_LIVE = frozenset({"INSTALLED", "REKEYING", "REKEYED"})
_IN_BIRTH = frozenset({"CREATED", "ROUTED", "INSTALLING", "UPDATING"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A connection that is loaded, and the name of its child in its present version."""

    connection: IpsecConnection
    child: str


@dataclass(frozen=True, slots=True)
class Initiate:
    """Start to negotiate the wanted child."""

    wanted: Wanted


@dataclass(frozen=True, slots=True)
class EndIke:
    """Delete an IKE_SA."""

    unique_id: int
    hasty: bool = False
    """Without waiting for the peer's answer: the peer may have lost this SA, and packets still use it."""


@dataclass(frozen=True, slots=True)
class EndChild:
    """Delete a CHILD_SA."""

    unique_id: int


Command = Initiate | EndIke | EndChild


@dataclass(frozen=True, slots=True)
class Patience:
    """What must be remembered about a tunnel that is not up."""

    due: float
    """When we start (again)."""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to do about one connection now, and what to remember; `recheck` is when time alone changes it."""

    commands: tuple[Command, ...] = ()
    patience: Patience | None = None
    recheck: float | None = None


def by_connection(sas: Iterable[IkeSa]) -> Mapping[str, Sequence[IkeSa]]:
    """The IKE_SAs of each connection, by its name."""
    grouped: defaultdict[str, list[IkeSa]] = defaultdict(list)
    for sa in sas:
        grouped[sa.name].append(sa)
    return grouped


def is_live(child: ChildSa) -> bool:
    """Whether packets can pass."""
    return child.state in _LIVE


def judge(
    wanted: Wanted, own: Sequence[IkeSa], now: float, patience: Patience | None, grace: float
) -> Judgement:
    """Decide about one connection and its *own* SAs; *grace* is our wait if the peer is to start."""
    lost = tuple(EndIke(sa.unique_id, hasty=True) for sa in own if _calls_elsewhere(sa, wanted))
    fresh = [child for sa in own for child in sa.children if _is_fresh(child, wanted)]
    if any(child.installed_seconds >= SETTLE_SECONDS for child in fresh):
        return Judgement((*lost, *_extras(own, wanted)))
    if fresh:
        alone = len(own) == 1 and len(own[0].children) == 1
        return Judgement(lost, recheck=None if alone else now + SETTLE_SECONDS)
    gone = {command.unique_id for command in lost}
    if any(_is_under_way(sa, wanted) for sa in own if sa.unique_id not in gone):
        return Judgement(lost, patience)
    if wanted.connection.initiation is Initiation.NEVER:
        return Judgement(lost)
    if patience is None:
        at_once = wanted.connection.initiation is Initiation.AT_ONCE
        patience = Patience(due=now if at_once else now + grace)
    if now < patience.due:
        return Judgement(lost, patience, recheck=patience.due)
    wait = RETRY_SECONDS[min(patience.attempts, len(RETRY_SECONDS) - 1)]
    later = Patience(due=now + wait, attempts=patience.attempts + 1)
    return Judgement((*lost, Initiate(wanted)), later, recheck=later.due)


def orphans(wanted: Iterable[Wanted], sas: Iterable[IkeSa]) -> tuple[EndIke, ...]:
    """IKE_SAs of ours whose connection is not wanted any more."""
    names = {item.connection.name for item in wanted}
    return tuple(
        EndIke(sa.unique_id)
        for sa in sas
        if is_ours(sa.name) and sa.name not in names and sa.state != "DELETING"
    )


def _is_fresh(child: ChildSa, wanted: Wanted) -> bool:
    return child.name == wanted.child and is_live(child)


def _is_under_way(sa: IkeSa, wanted: Wanted) -> bool:
    """Whether a negotiation that may give the wanted child is running on this IKE_SA, ours or the peer's."""
    in_birth = any(child.name == wanted.child and child.state in _IN_BIRTH for child in sa.children)
    return in_birth or sa.state == "CONNECTING" or (sa.state in ("ESTABLISHED", "REKEYING") and sa.busy)


def _calls_elsewhere(sa: IkeSa, wanted: Wanted) -> bool:
    """Whether we are calling an address that is not the peer's any more; charon would go on for ever."""
    return sa.initiator and sa.state == "CONNECTING" and sa.remote_address != wanted.connection.remote_address


def _extras(own: Sequence[IkeSa], wanted: Wanted) -> Iterator[Command]:
    """What exists beside the SAs that carry the wanted child.

    A call of ours that the peer's crossed is no extra yet: the peer may already hold it for established and,
    by the same rule, drop the one that we keep. Once both are up, both ends see both and choose the same.
    """
    doomed = set(_duplicates(own, wanted))
    for sa in own:
        if sa.state != "ESTABLISHED" or sa.busy or (sa.established_seconds or 0) < SETTLE_SECONDS:
            continue
        fresh = [child for child in sa.children if _is_fresh(child, wanted)]
        if all(child.unique_id in doomed for child in fresh):
            yield EndIke(sa.unique_id, hasty=True)
            continue
        for child in sa.children:
            stale = child.name != wanted.child and child.state == "INSTALLED"
            if stale or child.unique_id in doomed:
                yield EndChild(child.unique_id)


def _duplicates(own: Sequence[IkeSa], wanted: Wanted) -> Iterator[int]:
    """Children that carry the same subnets as another one.

    Both ends keep the one with the lowest SPI, counting both directions: the pair is the same on both ends.
    """
    alike: defaultdict[object, list[ChildSa]] = defaultdict(list)
    for sa in own:
        for child in sa.children:
            settled = child.installed_seconds >= SETTLE_SECONDS
            if child.name == wanted.child and child.state == "INSTALLED" and settled:
                alike[frozenset(child.local_subnets), frozenset(child.remote_subnets)].append(child)
    for children in alike.values():
        keep = min(children, key=lambda child: min(child.spi_in, child.spi_out))
        yield from (child.unique_id for child in children if child is not keep)

"""The vocabulary of the leader election: roles, what can happen, and what can be asked for.

Events are in the past tense, commands in the imperative. `gateway.election` turns the one into the other,
`gateway.campaign` carries the commands out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Seconds: how long a silent holder is respected, when a holder gives up itself, and between tries."""

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry_period: float = 2.0


class Standing(StrEnum):
    """LEADER: we hold the Lease. FOLLOWER: another gateway does. UNDECIDED: nobody we could name does."""

    LEADER = "leader"
    FOLLOWER = "follower"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Role:
    """Our standing, and in `detail` the holder's name (FOLLOWER) or why it is open (UNDECIDED)."""

    standing: Standing
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """What the election needs of a Lease; `holder` is "" when it was released."""

    holder: str
    duration: float
    version: str
    transitions: int = 0


@dataclass(frozen=True, slots=True)
class Woken:
    """The time asked for by `Sleep` has passed, or something gave a reason to look again."""


@dataclass(frozen=True, slots=True)
class LeaseRead:
    """A read succeeded; None when there is no Lease yet."""

    found: Holding | None


@dataclass(frozen=True, slots=True)
class LeaseWritten:
    """A write succeeded; it had been sent at `sent` (monotonic seconds)."""

    now: Holding
    sent: float


@dataclass(frozen=True, slots=True)
class WriteLost:
    """Someone else wrote the Lease first."""


@dataclass(frozen=True, slots=True)
class CallFailed:
    """The API server did not answer, or refused; it is unknown whether a write took effect."""

    reason: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """We cannot do the leader's work: let another gateway have it until `until` (monotonic seconds)."""

    until: float
    reason: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    """The process is about to exit."""


Event = Woken | LeaseRead | LeaseWritten | WriteLost | CallFailed | SetAside | StopRequested


@dataclass(frozen=True, slots=True)
class Read:
    """Read the Lease, waiting `timeout` seconds at most."""

    timeout: float


@dataclass(frozen=True, slots=True)
class Write:
    """Write `holder` over the Lease seen as `over` (None: create it), waiting `timeout` seconds at most."""

    holder: str
    over: Holding | None
    new_term: bool
    timeout: float


@dataclass(frozen=True, slots=True)
class Become:
    """Our role changed."""

    role: Role


@dataclass(frozen=True, slots=True)
class Sleep:
    """Send `Woken` after this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing more will be asked: the Lease is released, or was not ours, or could not be released."""


Command = Read | Write | Become | Sleep | Finish

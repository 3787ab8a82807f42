"""Who may change cables: the leader election over one Lease, as a pure state machine.

Only elapsed time on our own monotonic clock counts, never the wall-clock stamps in the Lease, so clocks that
disagree about the date do no harm: two leaders at once would need clocks whose *rates* differ by more than
duration / renew_deadline. A holder that was restarted finds its own name in the Lease and goes on.
"""

from __future__ import annotations

from gateway.leadership import (
    Become,
    CallFailed,
    Command,
    Event,
    Finish,
    Holding,
    LeaseRead,
    LeaseTimes,
    LeaseWritten,
    Read,
    Role,
    SetAside,
    Sleep,
    Standing,
    StopRequested,
    Woken,
    Write,
    WriteLost,
)

CONFLICT_PAUSE = 0.25
"""Share of the retry period to wait after a lost write, so that two candidates do not chase each other."""
STOP_TIMEOUT = 2.0
"""Seconds for each of the last calls of a process that is asked to exit."""


class Election:
    """One candidate's view of the Lease."""

    def __init__(self, identity: str, times: LeaseTimes) -> None:
        self._identity = identity
        self._times = times
        self._role = Role(Standing.UNDECIDED, "the leader election has not been decided yet")
        self._seen: Holding | None = None
        self._seen_at = 0.0
        self._fresh = False
        self._renewed_at = float("-inf")
        self._aside_until = float("-inf")
        self._stopping = False

    @property
    def role(self) -> Role:
        return self._role

    def leads(self, at: float) -> bool:
        """Whether we may still act as the leader at this moment, also when no event came to say otherwise."""
        return self._role.standing is Standing.LEADER and at < self._renewed_at + self._times.renew_deadline

    def handle(self, event: Event, at: float) -> list[Command]:
        """Take in what happened at *at* (monotonic seconds) and say what to do next, in this order."""
        expired = self._expire(at)
        match event:
            case Woken():
                return expired + self._look(at)
            case LeaseRead(found):
                return expired + self._judge(found, at)
            case LeaseWritten(now, sent):
                return expired + self._settle(now, sent, at)
            case WriteLost():
                self._fresh = False
                pause = Sleep(self._times.retry_period * CONFLICT_PAUSE)
                return [*expired, Finish() if self._stopping else pause]
            case CallFailed(reason):
                return expired + self._wait_out(reason, at)
            case SetAside(until, reason):
                self._aside_until = until
                return expired + self._release(reason, at)
            case StopRequested():
                self._stopping = True
                return expired + self._release("this gateway is stopping", at)

    def _expire(self, at: float) -> list[Command]:
        if self._role.standing is Standing.LEADER and not self.leads(at):
            return self._become(
                Role(Standing.UNDECIDED, "the Lease could not be renewed in time; cables stay as they are")
            )
        return []

    def _become(self, role: Role) -> list[Command]:
        if role == self._role:
            return []
        self._role = role
        return [Become(role)]

    def _timeout(self, at: float) -> float:
        """A leader's call may not outlast its deadline: at the deadline it must be able to step down."""
        if self._stopping:
            return STOP_TIMEOUT
        if self._role.standing is not Standing.LEADER:
            return self._times.renew_deadline
        return max(self._renewed_at + self._times.renew_deadline - at, 0.1)

    def _look(self, at: float) -> list[Command]:
        if self._fresh and self._role.standing is Standing.LEADER:
            return [self._write(self._identity, at)]
        return [Read(self._timeout(at))]

    def _write(self, holder: str, at: float) -> Write:
        new_term = holder != "" and not self._holds()
        return Write(holder, self._seen, new_term=new_term, timeout=self._timeout(at))

    def _holds(self) -> bool:
        return self._seen is not None and self._seen.holder == self._identity

    def _judge(self, found: Holding | None, at: float) -> list[Command]:
        if self._seen is None or found != self._seen:
            self._seen, self._seen_at = found, at
        self._fresh = True
        if self._stopping:
            return self._release(self._role.detail, at)
        holder = found.holder if found else ""
        aside = at < self._aside_until
        if holder == self._identity:
            return [self._write("" if aside else self._identity, at)]
        if found and holder and not self._stale(found, at):
            return [*self._become(Role(Standing.FOLLOWER, holder)), self._sleep(at)]
        if aside:
            return [self._sleep(at)]
        return [self._write(self._identity, at)]

    def _stale(self, found: Holding, at: float) -> bool:
        return at >= self._seen_at + max(found.duration, self._times.duration)

    def _settle(self, now: Holding, sent: float, at: float) -> list[Command]:
        self._seen, self._seen_at, self._fresh = now, at, True
        if now.holder != self._identity:
            return [Finish() if self._stopping else self._sleep(at)]
        self._renewed_at = sent
        if self._stopping:
            return self._release("this gateway is stopping", at)
        if at >= sent + self._times.renew_deadline:
            return [self._sleep(at)]
        return [*self._become(Role(Standing.LEADER)), self._sleep(at)]

    def _wait_out(self, reason: str, at: float) -> list[Command]:
        self._fresh = False
        if self._stopping:
            return [Finish()]
        changes: list[Command] = []
        if self._role.standing is Standing.UNDECIDED:
            changes = self._become(Role(Standing.UNDECIDED, reason))
        return [*changes, self._sleep(at)]

    def _release(self, reason: str, at: float) -> list[Command]:
        changes: list[Command] = []
        if self._role.standing is Standing.LEADER:
            changes = self._become(Role(Standing.UNDECIDED, reason))
        if not self._fresh:
            # A write whose answer never came may have put our name there.
            return [*changes, Read(self._timeout(at))]
        if self._holds():
            return [*changes, self._write("", at)]
        return [*changes, Finish() if self._stopping else self._sleep(at)]

    def _sleep(self, at: float) -> Sleep:
        seconds = self._times.retry_period
        if self._role.standing is Standing.LEADER:
            seconds = min(seconds, max(self._renewed_at + self._times.renew_deadline - at, 0.0))
        return Sleep(seconds)

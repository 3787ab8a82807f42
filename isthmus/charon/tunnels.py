"""What is remembered between passes about tunnels: who waits until when, and why one does not come up.

Nothing here decides what exists; that is read from charon in every pass. A lost memory costs a few seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from isthmus.charon.api import CameUp, CharonEvent, LogLine, SaChanged, WentAway
from isthmus.charon.causes import Cause, cause_of, surer
from isthmus.charon.healing import (
    GRACE_SECONDS,
    Command,
    Patience,
    Wanted,
    by_connection,
    is_live,
    judge,
    orphans,
)
from isthmus.charon.naming import is_ours
from isthmus.charon.records import IkeSa


class Tunnels:
    """The memory of one driver."""

    def __init__(self) -> None:
        self._patience: dict[Wanted, Patience] = {}
        self._causes: dict[str, Cause] = {}
        self._known: dict[str, str] = {}
        self.recheck: float | None = None
        """When time alone calls for another pass."""

    def judge(
        self, wanted: Sequence[Wanted], missing: frozenset[str], sas: Sequence[IkeSa], now: float
    ) -> tuple[Command, ...]:
        """What to do about the SAs; *missing* are the connections that charon did not hold until now."""
        self._forget_changed(wanted)
        commands: list[Command] = list(orphans(wanted, sas))
        grouped = by_connection(sas)
        patience: dict[Wanted, Patience] = {}
        rechecks: list[float] = []
        for item in wanted:
            name = item.connection.name
            # A connection that we had loaded and that is gone: charon restarted. The peer still believes in
            # the old SAs and will not start before its dead-peer detection, so we do.
            grace = 0.0 if name in missing and name in self._known else GRACE_SECONDS
            judgement = judge(item, grouped.get(name, ()), now, self._patience.get(item), grace)
            commands.extend(judgement.commands)
            if judgement.patience is not None:
                patience[item] = judgement.patience
            if judgement.recheck is not None:
                rechecks.append(judgement.recheck)
        self._patience = patience
        self._known = {item.connection.name: item.child for item in wanted}
        self._forget_causes(sas)
        self.recheck = min(rechecks, default=None)
        return tuple(commands)

    def hear(self, event: CharonEvent) -> bool:
        """Take in one event; tell whether a pass or a listing may now give something new."""
        match event:
            case CameUp() | WentAway():
                self._patience.clear()
                self._causes.clear()
                return True
            case SaChanged(connection=name, up=up, child=child):
                if up and child:
                    self._causes.pop(name, None)
                return is_ours(name)
            case LogLine(connection=name, text=text):
                return is_ours(name) and self._learn(name, text)

    def cause(self, name: str) -> Cause | None:
        """Why the connection does not come up, as far as charon has said."""
        return self._causes.get(name)

    def _learn(self, name: str, text: str) -> bool:
        cause = cause_of(text)
        known = self._causes.get(name)
        if cause is None or surer(known, cause) == known:
            return False
        self._causes[name] = cause
        return True

    def _forget_changed(self, wanted: Iterable[Wanted]) -> None:
        """A new version of a connection may have cured what the old one suffered from."""
        for item in wanted:
            if self._known.get(item.connection.name, item.child) != item.child:
                self._causes.pop(item.connection.name, None)

    def _forget_causes(self, sas: Iterable[IkeSa]) -> None:
        live = {(sa.name, child.name) for sa in sas for child in sa.children if is_live(child)}
        down = {name for name, child in self._known.items() if (name, child) not in live}
        self._causes = {name: cause for name, cause in self._causes.items() if name in down}

"""Why a tunnel does not come up, in plain words, from what charon logs about it.

Charon before 6.0.3 has no alert events, so its log lines are the only source. The patterns are texts of
strongSwan 5.9 and 6.0 at log level 1; a line that is not known says nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum


class Weight(IntEnum):
    """How sure a cause is: a surer one is not replaced by a vaguer one before the tunnel comes up."""

    GUESS = 1
    SURE = 2


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason, as a sentence that says what to do."""

    text: str
    weight: Weight


WRONG_KEY = Cause(
    "wrong pre-shared key: the peer's key is not ours; join both clusters with the same key",
    Weight.SURE,
)
NO_KEY = Cause(
    "charon holds no pre-shared key for this peer; it is loaded again with the next pass",
    Weight.SURE,
)
REFUSED = Cause(
    "the peer refused our authentication: its pre-shared key differs from ours, or it does not know this "
    "gateway's Endpoint; check that both clusters were joined with the same key",
    Weight.GUESS,
)
NO_ANSWER = Cause(
    "no answer from the peer; check that its gateway runs and that UDP to its tunnel port passes firewalls",
    Weight.GUESS,
)
NO_ROUTE = Cause("this host has no route to the peer's address; check its routes", Weight.GUESS)
NO_PROPOSAL = Cause(
    # Charon answers so to a caller for whom it has no connection, too.
    "the peer does not know this gateway's Endpoint, or accepts none of our algorithms; check that it lists "
    "our Endpoint, and its IPsec version",
    Weight.GUESS,
)
OTHER_SUBNETS = Cause(
    "the subnets were refused; check that both clusters see each other's current Endpoint and, with "
    "libipsec, that each gateway owns an address in each subnet of its cluster",
    Weight.SURE,
)
KERNEL_REFUSED = Cause(
    "this host's kernel refused the tunnel; check that it offers ESP, or start charon with kernel-libipsec",
    Weight.SURE,
)

_PATTERNS: tuple[tuple[re.Pattern[str], Cause], ...] = (
    (re.compile(r"MAC mismatched|tried \d+ shared keys? for"), WRONG_KEY),
    (re.compile(r"no shared key found for"), NO_KEY),
    (re.compile(r"received AUTHENTICATION_FAILED"), REFUSED),
    # The first two repetitions are ordinary loss.
    (re.compile(r"giving up after|peer not responding|retransmit [3-9] of request"), NO_ANSWER),
    (re.compile(r"(Network|No route).*unreachable|No route to host"), NO_ROUTE),
    (re.compile(r"NO_PROPOSAL_CHOSEN|no acceptable proposal found"), NO_PROPOSAL),
    (re.compile(r"TS_UNACCEPTABLE|no acceptable traffic selectors|selectors .* unacceptable"), OTHER_SUBNETS),
    (re.compile(r"unable to install (inbound and outbound IPsec SA|IPsec policies)"), KERNEL_REFUSED),
)


def cause_of(line: str) -> Cause | None:
    """The cause that a log line gives, if it gives one."""
    for pattern, cause in _PATTERNS:
        if pattern.search(line):
            return cause
    return None


def surer(known: Cause | None, new: Cause) -> Cause:
    """The cause to show when *new* is learnt while *known* is shown."""
    return known if known is not None and known.weight > new.weight else new

"""IPsec states and policies that charon made for us in the kernel, as `ip xfrm` shows them.

charon installs and removes them. When it is killed they stay: packets go on being encrypted, and the next
charon knows nothing of them. What is left over in the end is removed here; nothing is ever added.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from crds.meta import IPAddress, IPNetwork
from isthmus.dataplane.command import Command, CommandFailed
from isthmus.dataplane.ownership import REQID_MARK
from isthmus.reconcile.outcome import Outcome

STEP = "xfrm"

_STATE = re.compile(r"src (\S+) dst (\S+)\s*\\\s*proto esp spi 0x([0-9a-f]+)\S* reqid (\d+)")
_POLICY = re.compile(r"src (\S+) dst (\S+)\s*\\\s*dir (in|out|fwd) .*\bproto esp\b.*?\breqid (\d+)")
_GONE = "No such (?:process|file or directory)"


@dataclass(frozen=True, slots=True)
class XfrmState:
    """One direction of an ESP tunnel; the SPI as eight hex digits, as charon lists it."""

    source: IPAddress
    destination: IPAddress
    spi: str
    reqid: int


@dataclass(frozen=True, slots=True)
class XfrmPolicy:
    """Which packets take a tunnel (`out`) or must have come by it (`in`, `fwd`)."""

    source: IPNetwork
    destination: IPNetwork
    direction: str
    reqid: int


async def owned_states(command: Command) -> tuple[XfrmState, ...]:
    """The states that carry our mark, keys left in the kernel."""
    shown = await command.run(("ip", "-o", "xfrm", "state", "list", "nokeys"))
    found = (_STATE.match(line) for line in shown.stdout.splitlines())
    states = (
        XfrmState(ip_address(match[1]), ip_address(match[2]), match[3].zfill(8), int(match[4]))
        for match in found
        if match
    )
    return tuple(state for state in states if _is_ours(state.reqid))


async def owned_policies(command: Command) -> tuple[XfrmPolicy, ...]:
    """The policies that carry our mark."""
    shown = await command.run(("ip", "-o", "xfrm", "policy", "list"))
    found = (_POLICY.match(line) for line in shown.stdout.splitlines())
    policies = (
        XfrmPolicy(ip_network(match[1]), ip_network(match[2]), match[3], int(match[4]))
        for match in found
        if match
    )
    return tuple(policy for policy in policies if _is_ours(policy.reqid))


async def remove_xfrm(
    command: Command, states: Sequence[XfrmState], policies: Sequence[XfrmPolicy]
) -> Outcome:
    """Remove these; what is gone already is fine."""
    lines = [*map(_state_line, states), *map(_policy_line, policies)]
    if not lines:
        return Outcome(STEP)
    try:
        await command.run(("ip", "-force", "-batch", "-"), stdin="".join(f"{line}\n" for line in lines))
    except CommandFailed as error:
        if not _only_gone(error.stderr.splitlines()):
            return Outcome(STEP, failures=(error,))
    return Outcome(STEP, removed=len(lines))


def _is_ours(reqid: int) -> bool:
    return reqid >> 24 == REQID_MARK


def _state_line(state: XfrmState) -> str:
    return f"xfrm state delete src {state.source} dst {state.destination} proto esp spi 0x{state.spi}"


def _policy_line(policy: XfrmPolicy) -> str:
    return f"xfrm policy delete src {policy.source} dst {policy.destination} dir {policy.direction}"


def _only_gone(complaints: Iterable[str]) -> bool:
    """Whether the kernel's answers are nothing but "there is no such thing"; ip adds lines of its own."""
    answers = [line for line in complaints if line.startswith("RTNETLINK answers:")]
    return bool(answers) and all(re.search(_GONE, line) for line in answers)

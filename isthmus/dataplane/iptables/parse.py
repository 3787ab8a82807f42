"""Reads `iptables-save` back into the records it was written from.

Rules are compared as records, so the order and spelling that iptables prefers do not matter. A rule that no
record of ours can express was not written by us: it comes back as `Alien`, which equals nothing wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from itertools import pairwise
from typing import Any, cast

from isthmus.dataplane import ownership
from isthmus.dataplane.iptables import words
from isthmus.dataplane.ruleset import (
    Accept,
    Action,
    ClampMss,
    ClearMark,
    Drop,
    Jump,
    Match,
    Reject,
    Return,
    Rule,
    SetMss,
    SetName,
    Snat,
    TableName,
)


@dataclass(frozen=True, slots=True)
class Alien:
    """A rule of somebody else in a chain of ours, as text."""

    text: str


@dataclass(frozen=True, slots=True)
class FoundHook:
    """A jump into one of our chains: its place counts from 1 in the chain that holds it."""

    chain: str
    target: str
    position: int
    rule: Rule | Alien
    text: str


@dataclass(slots=True)
class FoundTable:
    """What a table holds of ours, and whether it holds anything else (`is_shared`)."""

    chains: dict[str, list[Rule | Alien]] = field(default_factory=dict)
    hooks: list[FoundHook] = field(default_factory=list)
    is_shared: bool = False


def parse_save(text: str) -> dict[TableName, FoundTable]:
    """Our chains and hooks in the output of `iptables-save`."""
    tables: dict[TableName, FoundTable] = {}
    table = FoundTable()
    places: dict[str, int] = {}
    for line in text.splitlines():
        if line.startswith("*"):
            table = tables.setdefault(cast("TableName", line[1:].strip()), FoundTable())
            places = {}
        elif line.startswith(":"):
            _declare(table, line)
        elif line.startswith("-A "):
            _add(table, line, places)
    return tables


def _declare(table: FoundTable, line: str) -> None:
    name, policy = line[1:].split()[:2]
    if name.startswith(ownership.CHAIN_PREFIX):
        table.chains[name] = []
    elif policy != "ACCEPT":
        table.is_shared = True


def _add(table: FoundTable, line: str, places: dict[str, int]) -> None:
    _, chain, rest = line.split(" ", 2) if line.count(" ") > 1 else (*line.split(" ", 1), "")
    if chain.startswith(ownership.CHAIN_PREFIX):
        table.chains[chain].append(parse_rule(rest))
        return
    places[chain] = places.get(chain, 0) + 1
    # Cheap to rule out: on a busy host nearly every line is kube-proxy's.
    target = _our_target(rest) if ownership.CHAIN_PREFIX in rest else None
    if target is None:
        table.is_shared = True
        return
    table.hooks.append(FoundHook(chain, target, places[chain], parse_rule(rest), rest))


def _our_target(rest: str) -> str | None:
    tokens = words.split(rest)
    for flag, target in pairwise(tokens):
        if flag in ("-j", "-g") and target.startswith(ownership.CHAIN_PREFIX):
            return target
    return None


def parse_rule(text: str) -> Rule | Alien:
    """The rule that *text* (a line of `iptables-save` after its chain) was written from."""
    reader = _Reader(words.split(text))
    try:
        return reader.read()
    except (_Unknown, ValueError, LookupError):
        return Alien(text)


class _Unknown(Exception):
    """A word that none of our rules contains."""


@dataclass(slots=True)
class _Reader:
    """Goes through a rule's words once, filling in what they say."""

    tokens: list[str]
    place: int = 0
    fields: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    action: Action | None = None

    def read(self) -> Rule:
        is_not = False
        while self.place < len(self.tokens):
            word = self._next()
            if word == "!":
                is_not = True
                continue
            self._option(word, is_not)
            is_not = False
        if self.action is None or self.reason is None:
            raise _Unknown
        return Rule(Match(**self.fields), self.action, self.reason)

    def _next(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1]

    def _option(self, word: str, is_not: bool) -> None:
        if word in _NEGATABLE:
            name, read = _NEGATABLE[word]
            self._set(name, read(self._next()))
            if is_not:
                self._set(f"not_{name}", True)
        elif word == "--match-set":
            name = SetName(self._next())
            end = {"src": "source", "dst": "destination"}[self._next()]
            self._set(end, name)
            if is_not:
                self._set(f"not_{end}", True)
        elif is_not:
            raise _Unknown
        else:
            self._plain(word)

    def _plain(self, word: str) -> None:
        match word:
            case "-m":
                if self._next() not in _MODULES:
                    raise _Unknown
            case "-p":
                self._set("protocol", self._next())
            case "--dport":
                self._set("dport", int(self._next()))
            case "--tcp-flags":
                self._expect("SYN,RST", "SYN")
                self._set("tcp_syn", True)
            case "--mark":
                self._mark(self._next())
            case "--dir":
                self._expect("out")
            case "--pol":
                self._set("ipsec_out", {"ipsec": True, "none": False}[self._next()])
            case "--comment":
                self._comment(self._next())
            case "-j":
                self.action = self._action(self._next())
            case _:
                raise _Unknown

    def _set(self, name: str, value: object) -> None:
        if name in self.fields:
            raise _Unknown  # no rule of ours says a thing twice
        self.fields[name] = value

    def _expect(self, *expected: str) -> None:
        if [self._next() for _ in expected] != list(expected):
            raise _Unknown

    def _mark(self, text: str) -> None:
        value, _, mask = text.partition("/")
        self._set("mark", int(value, 16))
        if mask:
            self._set("mark_mask", int(mask, 16))

    def _comment(self, text: str) -> None:
        prefix = ownership.COMMENT_PREFIX.rstrip()
        if not text.startswith(prefix):
            raise _Unknown
        self.reason = text.removeprefix(prefix).strip()

    def _action(self, target: str) -> Action:
        match target:
            case "ACCEPT":
                return Accept()
            case "RETURN":
                return Return()
            case "DROP":
                return Drop()
            case "REJECT":
                self._expect("--reject-with")
                return Reject(self._next())
            case "SNAT":
                self._expect("--to-source")
                return Snat(ip_address(self._next()))
            case "TCPMSS":
                return ClampMss() if self._next() == "--clamp-mss-to-pmtu" else SetMss(int(self._next()))
            case "MARK":
                self._expect("--set-xmark")
                value, _, mask = self._next().partition("/")
                if int(value, 16) != 0:
                    raise _Unknown
                return ClearMark(int(mask, 16))
        if not target.startswith(ownership.CHAIN_PREFIX):
            raise _Unknown
        return Jump(target)


_MODULES = frozenset({"tcp", "udp", "mark", "policy", "set", "comment"})
_NEGATABLE: dict[str, tuple[str, Callable[[str], object]]] = {
    "-s": ("source", ip_network),
    "-d": ("destination", ip_network),
    "-i": ("in_device", str),
    "-o": ("out_device", str),
}

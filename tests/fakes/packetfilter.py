"""A packet filter in memory that reads and prints what iptables and ipset do.

It knows what drivers depend on: a table changes as a whole or not at all, a declared chain is emptied, a rule
needs the chain and the sets it names, and what is named cannot be removed.
`tests/contract/test_packetfilter.py` holds this and both iptables backends to the same tests.
"""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from isthmus.dataplane.command import CommandFailed
from isthmus.dataplane.iptables import words
from isthmus.dataplane.ruleset import TableName
from isthmus.reconcile.errors import Transient

BUILT_IN: dict[str, tuple[str, ...]] = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
}

Table = dict[str, list[str]]
"""Rules, without their chain, by chain."""


@dataclass(slots=True)
class Faults:
    """Refusals that a test asked for, and the writes that went through."""

    waiting: list[tuple[str, Transient]] = field(default_factory=list)
    writes: Counter[str] = field(default_factory=Counter)

    def start(self, operation: str) -> None:
        for position, (name, error) in enumerate(self.waiting):
            if name == operation:
                del self.waiting[position]
                raise error
        self.writes[operation] += 1


@dataclass(slots=True)
class FakeSets:
    """`SetTable` in memory: shape and entries by name."""

    faults: Faults
    held: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    in_use: set[str] = field(default_factory=set)

    async def dump(self) -> str:
        self.faults.start("sets.dump")
        lines: list[str] = []
        for name, (shape, entries) in self.held.items():
            lines += [f"create {name} {shape}", *(f"add {name} {entry}" for entry in entries)]
        return "".join(f"{line}\n" for line in lines)

    async def apply(self, text: str) -> None:
        self.faults.start("sets.apply")
        for line in text.splitlines():
            verb, name, rest = (*line.split(" ", 2), "")[:3]
            self._apply(verb, name, rest.removesuffix("/32"))

    def _apply(self, verb: str, name: str, rest: str) -> None:
        if verb == "create":
            shape, _ = self.held.setdefault(name, (rest, []))
            if shape != rest:
                raise CommandFailed(
                    "ipset", 1, "Set cannot be created: set with the same name already exists"
                )
            return
        if name not in self.held:
            raise CommandFailed("ipset", 1, f"The set with the given name does not exist: {name}")
        entries = self.held[name][1]
        match verb:
            case "add" if rest not in entries:
                entries.append(rest)
            case "del" if rest in entries:
                entries.remove(rest)
            case "destroy":
                if name in self.in_use:
                    raise CommandFailed(
                        "ipset", 1, "Set cannot be destroyed: it is in use by a kernel component"
                    )
                del self.held[name]


@dataclass(slots=True)
class FakePacketFilter:
    """`PacketFilter` in memory."""

    faults: Faults = field(default_factory=Faults)
    sets: FakeSets = field(init=False)
    tables: dict[str, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sets = FakeSets(self.faults)

    def fail_next(self, operation: str, error: Transient) -> None:
        """Refuse the next "dump", "apply", "drop_table", "sets.dump" or "sets.apply"."""
        self.faults.waiting.append((operation, error))

    async def dump(self) -> str:
        self.faults.start("dump")
        lines: list[str] = []
        for name, table in self.tables.items():
            lines.append(f"*{name}")
            lines += [f":{chain} {'ACCEPT' if chain in BUILT_IN[name] else '-'} [0:0]" for chain in table]
            lines += [f"-A {chain} {rule}" for chain, rules in table.items() for rule in rules]
            lines.append("COMMIT")
        return "".join(f"{line}\n" for line in lines)

    async def apply(self, text: str) -> None:
        self.faults.start("apply")
        name, table = "", {}
        for line in text.splitlines():
            if line.startswith("*"):
                name = line[1:]
                table = copy.deepcopy(self.tables.get(name) or {chain: [] for chain in BUILT_IN[name]})
            elif line == "COMMIT":
                self._check(table)
                self.tables[name] = table
            elif line:
                _change(table, line)
        self.sets.in_use = {
            following
            for table in self.tables.values()
            for rules in table.values()
            for rule in rules
            for word, following in _pairs(rule)
            if word == "--match-set"
        }

    async def drop_table(self, table: TableName) -> None:
        self.faults.start("drop_table")
        self.tables.pop(table, None)

    def _check(self, table: Table) -> None:
        for rules in table.values():
            for word, following in (pair for rule in rules for pair in _pairs(rule)):
                if word == "-j" and following.startswith("SUBMARINER-") and following not in table:
                    raise CommandFailed("iptables-restore", 2, f"Couldn't load target `{following}'")
                if word == "--match-set" and following not in self.sets.held:
                    raise CommandFailed("iptables-restore", 2, f"Set {following} doesn't exist.")


def _change(table: Table, line: str) -> None:
    if line.startswith(":"):
        table[line[1:].split()[0]] = []
        return
    verb, chain, rule = (*line.split(" ", 2), "")[:3]
    if chain not in table:
        raise CommandFailed("iptables-restore", 1, f"No chain/target/match by that name: {chain}")
    match verb:
        case "-A":
            table[chain].append(rule)
        case "-I":
            place, _, rest = rule.partition(" ")
            table[chain].insert(int(place) - 1, rest)
        case "-D":
            if rule not in table[chain]:
                raise CommandFailed(
                    "iptables-restore", 1, "Bad rule (does a matching rule exist in that chain?)"
                )
            table[chain].remove(rule)
        case "-X":
            named = any(
                pair == ("-j", chain) for rules in table.values() for each in rules for pair in _pairs(each)
            )
            if table[chain] or named:
                raise CommandFailed("iptables-restore", 1, f"Too many links: {chain}")
            del table[chain]


def _pairs(rule: str) -> list[tuple[str, str]]:
    tokens = words.split(rule)
    return list(pairwise(tokens))

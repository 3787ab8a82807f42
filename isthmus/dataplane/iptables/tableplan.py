"""What one table's text for `iptables-restore` must say, from what is wanted and what is there. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from isthmus.dataplane import ownership
from isthmus.dataplane.iptables.parse import Alien, FoundHook, FoundTable, parse_rule
from isthmus.dataplane.iptables.render import render_chain, render_hook, render_hooks, render_rule
from isthmus.dataplane.ruleset import Chain, Hook, Rule
from isthmus.dataplane.tally import Verb


@dataclass(frozen=True, slots=True)
class TablePlan:
    """Lines between `*table` and `COMMIT`, how many objects they change, and whether the table goes after."""

    lines: tuple[str, ...]
    counts: dict[Verb, int]
    drops_table: bool


def plan_table(chains: Sequence[Chain], hooks: Sequence[Hook], found: FoundTable | None) -> TablePlan:
    """The writes that lead from *found* (None: no such table) to exactly these chains and hooks."""
    there = found or FoundTable()
    counts: Counter[Verb] = Counter()
    is_wanted = bool(chains or hooks)
    written = [chain for chain in chains if there.chains.get(chain.name) != _as_shown(chain.rules)]
    for chain in written:
        counts["changed" if chain.name in there.chains else "added"] += 1
    gone = [name for name in there.chains if name not in {chain.name for chain in chains}]
    if is_wanted:
        gone = [name for name in gone if name != ownership.TABLE_MARK]
    counts["removed"] += len(gone)
    bodies = [line for chain in written for line in render_chain(chain)]
    marks = [f":{ownership.TABLE_MARK} - [0:0]"] if is_wanted and found is None else []
    emptied = [f":{name} - [0:0]" for name in gone]
    lines = [
        *marks,
        *emptied,
        # Chains before rules: a rule may jump to a chain that stands after its own.
        *(line for line in bodies if line.startswith(":")),
        *(line for line in bodies if not line.startswith(":")),
        *_hook_lines(hooks, there.hooks, counts),
        *(f"-X {name}" for name in gone),
    ]
    drops_table = not is_wanted and ownership.TABLE_MARK in there.chains and not there.is_shared
    return TablePlan(tuple(lines), dict(counts), drops_table)


def _as_shown(rules: Iterable[Rule]) -> list[Rule | Alien]:
    """The rules as reading them back will give them: reasons cut to length, 0.0.0.0/0 left out."""
    return [parse_rule(render_rule(rule)) for rule in rules]


def _hook_lines(wanted: Sequence[Hook], found: Sequence[FoundHook], counts: Counter[Verb]) -> list[str]:
    lines: list[str] = []
    for chain in dict.fromkeys([*(hook.chain for hook in wanted), *(hook.chain for hook in found)]):
        here = [hook for hook in found if hook.chain == chain]
        there = tuple(hook for hook in wanted if hook.chain == chain)
        if _in_place(there, here):
            continue
        lines += [f"-D {chain} {hook.text}" for hook in here]
        lines += render_hooks(there)
        old, new = Counter(hook.rule for hook in here), Counter(_shown(hook) for hook in there)
        counts["added"] += (new - old).total()
        counts["removed"] += (old - new).total()
        # Equal hooks in the wrong place: they were moved.
        counts["changed"] += int(old == new)
    return lines


def _in_place(wanted: Sequence[Hook], found: Sequence[FoundHook]) -> bool:
    top = [_shown(hook) for hook in wanted if hook.first]
    if Counter(map(_shown, wanted)) != Counter(hook.rule for hook in found):
        return False
    placed = {hook.position: hook.rule for hook in found}
    return all(placed.get(position) == rule for position, rule in enumerate(top, start=1))


def _shown(hook: Hook) -> Rule | Alien:
    return parse_rule(render_hook(hook))

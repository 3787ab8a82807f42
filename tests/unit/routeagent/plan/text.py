"""Chains as the lines that `iptables-save` would show, without the comments' common beginning."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.dataplane.iptables.render import render_rule
from isthmus.dataplane.ruleset import Chain, Rule


def lines(rules: Iterable[Rule]) -> list[str]:
    """One line per rule: match and action; the reasons are left to the whole-text tests."""
    return [_without_comment(render_rule(rule)) for rule in rules]


def chain_lines(chain: Chain) -> list[str]:
    return lines(chain.rules)


def _without_comment(line: str) -> str:
    before, comment, after = line.partition("-m comment --comment ")
    return (before + after.rpartition("-j ")[1] + after.rpartition("-j ")[2]) if comment else line

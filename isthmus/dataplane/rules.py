"""Which policy rules (`ip rule`) of ours should exist. A rule is ours when its protocol is ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from crds.meta import Family, IPNetwork
from isthmus.dataplane.converge import converge
from isthmus.dataplane.tally import Tally
from isthmus.reconcile.delta import diff
from isthmus.reconcile.outcome import Outcome


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """Packets between `source` and `destination` (None: any) look into `table`."""

    priority: int
    table: int
    family: Family
    source: IPNetwork | None = None
    destination: IPNetwork | None = None


class RuleTable(Protocol):
    """The kernel's policy rules."""

    async def dump(self, family: Family) -> tuple[PolicyRule, ...]:
        """The rules of our protocol."""

    async def put(self, rule: PolicyRule) -> None:
        """Add the rule; an equal one is fine."""

    async def drop(self, rule: PolicyRule) -> None:
        """Remove the rule; a missing one is fine."""


async def sync_rules(table: RuleTable, desired: Iterable[PolicyRule], *, family: Family) -> Outcome:
    """Bring our policy rules of *family* to *desired*; none desired removes all of ours."""
    tally = Tally("rules")
    with tally.collecting():
        wanted = {rule: rule for rule in desired}
        owned = {rule: rule for rule in await table.dump(family)}
        await converge(tally, diff(wanted, owned), add=table.put, change=table.put, drop=table.drop)
    return tally.outcome()

"""Brings one family's packet filter to a `Ruleset` through iptables and ipset.

Order: sets that rules will name, then chains and hooks of each table in one transaction, then sets that no
rule names any more. Only what differs is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isthmus.dataplane import ipset
from isthmus.dataplane.iptables.parse import parse_save
from isthmus.dataplane.iptables.render import TABLES, render_table
from isthmus.dataplane.iptables.tableplan import plan_table
from isthmus.dataplane.ruleset import AddressSet, PacketFilter, Ruleset, SetName
from isthmus.dataplane.tally import Tally, Verb
from isthmus.reconcile.outcome import Outcome


async def sync_ruleset(packet_filter: PacketFilter, desired: Ruleset) -> Outcome:
    """Bring everything of ours to *desired*; an empty ruleset removes all of ours.

    Everything of ours: chains with our prefix, jumps to them from wherever, our sets of this family.
    """
    tally = Tally("ruleset")
    with tally.collecting():
        found = await _owned_sets(packet_filter, desired)
        misfits = [wanted.name for wanted in desired.sets if _misfits(wanted, found)]
        if misfits:
            # No set changes its type or goes while rules name it: the rules go first and come back below.
            await _sync_tables(packet_filter, Ruleset(desired.family), tally)
            await _destroy(packet_filter, misfits, tally)
            found = await _owned_sets(packet_filter, desired)
        await _fill(packet_filter, desired.sets, found, tally)
        await _sync_tables(packet_filter, desired, tally)
        unwanted = [name for name in found if name not in {wanted.name for wanted in desired.sets}]
        if not tally.failures:
            await _destroy(packet_filter, unwanted, tally)
    return tally.outcome()


async def _owned_sets(packet_filter: PacketFilter, desired: Ruleset) -> dict[SetName, ipset.FoundSet]:
    """Our sets of the ruleset's family, and those of another shape that have a wanted name."""
    family = ipset.FAMILIES[desired.family]
    names = {wanted.name for wanted in desired.sets}
    found = ipset.parse_sets(await packet_filter.sets.dump())
    return {name: there for name, there in found.items() if there.family == family or name in names}


def _misfits(wanted: AddressSet, found: Mapping[SetName, ipset.FoundSet]) -> bool:
    return wanted.name in found and not ipset.fits(found[wanted.name], wanted)


async def _fill(
    packet_filter: PacketFilter,
    wanted: Sequence[AddressSet],
    found: Mapping[SetName, ipset.FoundSet],
    tally: Tally,
) -> None:
    lines: list[str] = []
    counts: dict[Verb, int] = {"added": 0, "removed": 0}
    for one in wanted:
        there = found.get(one.name)
        entries = ipset.comparable(one.entries)
        held = there.entries if there else frozenset()
        if there is None:
            lines.append(ipset.render_create(one))
            counts["added"] += 1
        lines += ipset.render_entries(one.name, entries - held, held - entries)
        counts["added"] += len(entries - held)
        counts["removed"] += len(held - entries)
    if lines:
        await tally.batch(counts, packet_filter.sets.apply("\n".join([*lines, ""])))


async def _destroy(packet_filter: PacketFilter, names: Sequence[SetName], tally: Tally) -> None:
    for name in names:
        await tally.write("removed", packet_filter.sets.apply(ipset.render_destroy(name) + "\n"))


async def _sync_tables(packet_filter: PacketFilter, desired: Ruleset, tally: Tally) -> None:
    found = parse_save(await packet_filter.dump())
    for table in TABLES:
        chains = [chain for chain in desired.chains if chain.table == table]
        hooks = [hook for hook in desired.hooks if hook.table == table]
        plan = plan_table(chains, hooks, found.get(table))
        if not plan.lines:
            continue
        text = "\n".join([*render_table(table, list(plan.lines)), ""])
        if await tally.batch(plan.counts, packet_filter.apply(text)) and plan.drops_table:
            await tally.batch({}, packet_filter.drop_table(table))

"""Brings one family's packet filter to a `Ruleset` through iptables and ipset."""

from __future__ import annotations

from isthmus.dataplane.ruleset import PacketFilter, Ruleset
from isthmus.reconcile.outcome import Outcome


async def sync_ruleset(packet_filter: PacketFilter, desired: Ruleset) -> Outcome:
    """Bring everything of ours to *desired*; an empty ruleset removes all of ours."""
    raise NotImplementedError

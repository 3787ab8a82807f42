"""Takes everything of ours from this node: kernel objects, settings, and the node's own RouteAgent object."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from crds.meta import Family
from isthmus.dataplane.ruleset import PacketFilter
from isthmus.reconcile.errors import Fatal
from isthmus.reconcile.outcome import Outcome
from routeagent.apply import Host, remove_all

log = structlog.get_logger()


async def clean_node(host: Host, filters: Sequence[PacketFilter], family: Family) -> None:
    """Remove everything in *family*, from every packet filter that might hold rules of ours.

    Raises Fatal with what could not be removed; running it again is safe.
    """
    removed = 0
    outcomes: list[Outcome] = []
    # The filters share one stock of address sets, and a set goes only after the last rule that names it: what
    # the first filter's turn must leave for that reason goes with the next round.
    for _ in filters:
        outcomes = [outcome for one in filters for outcome in await remove_all(_with(host, one), family)]
        removed += sum(outcome.removed for outcome in outcomes)
    failures = [f"{outcome.step}: {error}" for outcome in outcomes for error in outcome.failures]
    if failures:
        lines = "\n".join(f"  {failure}" for failure in dict.fromkeys(failures))
        raise Fatal(f"not everything could be removed from this node; see to this and try again:\n{lines}")
    log.info("node_cleaned", removed=removed)


def _with(host: Host, packet_filter: PacketFilter) -> Host:
    return Host(host.netlink, packet_filter, host.sysctl, host.originals)

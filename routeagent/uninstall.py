"""Takes everything of ours from this node: kernel objects, settings, and the node's own RouteAgent object."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from crds.meta import Family
from isthmus.dataplane.ruleset import PacketFilter
from isthmus.reconcile.errors import Fatal
from routeagent.apply import Host, remove_all

log = structlog.get_logger()


async def clean_node(host: Host, filters: Sequence[PacketFilter], family: Family) -> None:
    """Remove everything in *family*, from every packet filter that might hold rules of ours.

    Raises Fatal with what could not be removed; running it again is safe.
    """
    outcomes = [
        outcome
        for packet_filter in filters
        for outcome in await remove_all(
            Host(host.netlink, packet_filter, host.sysctl, host.originals), family
        )
    ]
    failures = [f"{outcome.step}: {error}" for outcome in outcomes for error in outcome.failures]
    if failures:
        lines = "\n".join(f"  {failure}" for failure in dict.fromkeys(failures))
        raise Fatal(f"not everything could be removed from this node; see to this and try again:\n{lines}")
    log.info("node_cleaned", removed=sum(outcome.removed for outcome in outcomes))

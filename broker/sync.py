"""Keeps this cluster's namespace and the broker's alike, both ways, as long as this gateway leads.

Level-triggered: each pass compares all that is known of both sides (`broker.plan`), so what changed while
nobody watched is made up for by the first pass. Nothing is written before both sides were read once. A
broker that is away or refuses is a failure of the pass, said in one sentence; what was copied before stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from broker.contest import Contest
from broker.plan import SyncPlan, plan_sync
from broker.side import Side, SideStores, Written, absence, remove_all, write
from broker.transform import ItemKey, SyncItem
from crds.meta import CLUSTER_ID_LABEL, ClusterId
from isthmus.kube import errors
from isthmus.membership.fault import Fault
from isthmus.membership.judge import Refusal
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.delta import Delta
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome

STEP = "broker"
RETURN_SECONDS = 90.0
"""How long other members may take to come back to a broker whose namespace was lost and made again."""


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a pass did; nothing is written while not `synced`, that is until both sides were read once."""

    outcome: Outcome
    refusals: tuple[Refusal, ...]
    synced: bool


class BrokerSync:
    """Both sides and what was last known of them."""

    def __init__(self, cluster_id: ClusterId, local: Side, broker: Side, clock: Clock) -> None:
        self._cluster_id = cluster_id
        self._local = SideStores(local)
        self._broker = SideStores(broker)
        self._clock = clock
        self._contest = Contest()
        self._believe_at = float("-inf")

    async def watch(self, on_change: Callable[[], None]) -> None:
        """Read both sides for ever; *on_change* asks for a pass. Trouble with either never ends it."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._local.watch(self._clock, on_change))
            group.create_task(self._broker.watch(self._clock, on_change))

    async def sync_pass(self, expected: Collection[ItemKey] = ()) -> SyncResult:
        """Bring both sides to what the other one says; *expected* are objects that this cluster will have."""
        troubles = [side.trouble for side in (self._local, self._broker)]
        failures = [trouble for trouble in troubles if trouble is not None]
        if not (self._local.synced and self._broker.synced):
            return SyncResult(Outcome(STEP, failures=tuple(failures)), (), synced=False)
        plan = plan_sync(self._cluster_id, self._local.items(), self._broker.items(), expected)

        up, contested = self._yield_contested(plan.up)
        above = await write(self._broker.side, up)
        down, doubts = await self._doubt_absence(plan)
        below = await write(self._local.side, down)
        self._remember(above)
        failures += contested + above.failures + doubts + below.failures
        failures += [self._broker.side.trouble(error) for _, error in above.refused]
        refusals = [*plan.refusals, *(_not_taken(item, error) for item, error in below.refused)]
        return SyncResult(
            outcome=_outcome((above, below), failures),
            refusals=tuple(sorted(refusals, key=lambda each: each.rejection)),
            synced=True,
        )

    def _yield_contested(
        self, delta: Delta[ItemKey, SyncItem]
    ) -> tuple[Delta[ItemKey, SyncItem], list[Transient]]:
        """Take out of *delta* what somebody else keeps undoing, and say so."""
        wanted = {key: item.body for key, item in (delta.added | delta.changed).items()}
        wanted |= dict.fromkeys(delta.removed, "")
        lost = self._contest.lost(wanted, self._clock.monotonic())
        left = Delta(
            added={key: item for key, item in delta.added.items() if key not in lost},
            changed={key: item for key, item in delta.changed.items() if key not in lost},
            removed={key: item for key, item in delta.removed.items() if key not in lost},
        )
        return left, [self._rivalry(key) for key in sorted(lost)]

    async def _doubt_absence(self, plan: SyncPlan) -> tuple[Delta[ItemKey, SyncItem], list[Transient]]:
        """Keep the copies of what is missing at the broker, unless the broker is there and fit to be written.

        Where it was not, or has lost our own Cluster object, the others get some time to announce themselves
        again: who made the namespace anew cannot let all members join in the same moment.
        """
        own = next(iter(plan.announced.values()), None)
        if not plan.down.removed or own is None:
            return plan.down, []
        now = self._clock.monotonic()
        doubt = await absence(self._broker.side, own)
        if doubt is not None or own.key in plan.up.added:
            self._believe_at = now + RETURN_SECONDS
        if now >= self._believe_at:
            return plan.down, []
        return replace(plan.down, removed={}), [doubt] if doubt else []

    def _rivalry(self, key: ItemKey) -> Transient:
        kind, name = key
        return self._broker.side.trouble(
            f"somebody keeps undoing what this cluster writes to {kind} {name}; if another cluster also has "
            f"the id {self._cluster_id}, one of the two must join under a new id"
        )

    def _remember(self, above: Written) -> None:
        writes = [(item.key, item.body) for item in (*above.added, *above.changed)]
        writes += [(item.key, "") for item in above.removed]
        self._contest.note(writes, self._clock.monotonic())


async def withdraw(cluster_id: ClusterId, local: Side, broker: Side) -> Outcome:
    """Remove what this cluster has at the broker, then all Clusters and Endpoints here: it leaves."""
    above = await remove_all(broker, f"{CLUSTER_ID_LABEL}={cluster_id}")
    below = await remove_all(local, "")
    return _outcome((above, below), [*above.failures, *below.failures])


def _not_taken(item: SyncItem, error: errors.Refused) -> Refusal:
    """Return the refusal of an object that the local API server's schema will not take."""
    fault = Fault("spec", f"this cluster's API server refuses it: {error.cause}")
    return Refusal(fault.rejection(item.ref), item.claimed, item.shown)


def _outcome(sides: Iterable[Written], failures: list[Transient]) -> Outcome:
    written = tuple(sides)
    return Outcome(
        STEP,
        added=sum(len(side.added) for side in written),
        changed=sum(len(side.changed) for side in written),
        removed=sum(len(side.removed) for side in written),
        failures=tuple(failures),
    )

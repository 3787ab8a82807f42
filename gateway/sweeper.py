"""Holds the kernel's IPsec tables against what charon believes, and ends what only one of them knows."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.plan.leftovers import find_leftovers, find_lost
from isthmus.charon.api import Charon
from isthmus.charon.records import IpsecConnection
from isthmus.dataplane.command import Command
from isthmus.dataplane.xfrm import STEP, owned_policies, owned_states, remove_xfrm
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome


class Sweeper:
    """For charons whose ESP is the kernel's."""

    def __init__(self, command: Command) -> None:
        self._command = command

    async def sweep(self, charon: Charon, connections: Sequence[IpsecConnection]) -> Outcome:
        """Remove what no SA and no connection needs; end SAs that lack their half in the kernel."""
        try:
            before = await charon.list_sas()
            states, policies = await owned_states(self._command), await owned_policies(self._command)
            lost = find_lost(states, policies, before)
            leftovers = find_leftovers(states, policies, connections, before)
            if not (lost or leftovers):
                return Outcome(STEP)
            # What charon changed meanwhile, or was working on, is neither lost nor left over.
            after = await charon.list_sas(patiently=True)
            leftovers = find_leftovers(states, policies, connections, after)
            lost &= find_lost(states, policies, after)
            for unique_id in sorted(lost):
                await charon.terminate_ike(unique_id, hasty=True)
            removed = await remove_xfrm(self._command, leftovers.states, leftovers.policies)
        except Transient as failure:
            return Outcome(STEP, failures=(failure,))
        return Outcome(STEP, changed=len(lost), removed=removed.removed, failures=removed.failures)

    async def sweep_all(self) -> Outcome:
        """Remove all that is ours: no charon is there to do it, and no tunnel is wanted."""
        try:
            states, policies = await owned_states(self._command), await owned_policies(self._command)
            return await remove_xfrm(self._command, states, policies)
        except Transient as failure:
            return Outcome(STEP, failures=(failure,))

"""Removes from the kernel what a killed charon has left there; looks only when there may be something."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.plan.leftovers import find_leftovers
from isthmus.charon.api import Charon
from isthmus.charon.records import IpsecConnection
from isthmus.dataplane.command import Command
from isthmus.dataplane.xfrm import STEP, owned_policies, owned_states, remove_xfrm
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome


class Sweeper:
    """What is ours in the kernel's IPsec tables, held against what charon holds."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._due = True

    def expect_leftovers(self) -> None:
        """Another charon has come up, perhaps after one that was killed."""
        self._due = True

    async def sweep(self, charon: Charon, connections: Sequence[IpsecConnection]) -> Outcome:
        """Remove what no SA and no connection needs; look again next time as long as something waits."""
        if not self._due:
            return Outcome(STEP)
        try:
            # First the kernel and then charon: what charon installs in between is not among the former.
            states, policies = await owned_states(self._command), await owned_policies(self._command)
            sas = await charon.list_sas(patiently=True) if states or policies else ()
            leftovers = find_leftovers(states, policies, connections, sas)
            outcome = await remove_xfrm(self._command, leftovers.states, leftovers.policies)
        except Transient as failure:
            return Outcome(STEP, failures=(failure,))
        self._due = leftovers.waiting or bool(outcome.failures)
        return outcome

    async def sweep_all(self) -> Outcome:
        """Remove all that is ours: no charon is there to do it, and no tunnel is wanted."""
        try:
            states, policies = await owned_states(self._command), await owned_policies(self._command)
            return await remove_xfrm(self._command, states, policies)
        except Transient as failure:
            return Outcome(STEP, failures=(failure,))

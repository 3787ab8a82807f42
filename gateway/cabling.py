"""Brings one set of cables to the host: addresses that tunnels need, the tunnels, the pings through them."""

from __future__ import annotations

from collections.abc import Sequence

from crds.meta import IPAddress
from gateway.drivers import CableDriver
from gateway.health.icmp import Origin
from gateway.health.ping import Pinger
from gateway.picture import Held
from gateway.plan.cables import Cable
from gateway.subnetaddress import LOOPBACK, plan_subnet_addresses
from isthmus.dataplane.addresses import Address, AddressTable, sync_addresses
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome


class Cabling:
    """What carries the cables on this host; `pinger` is None when health checks are off."""

    def __init__(self, addresses: AddressTable, driver: CableDriver, pinger: Pinger | None) -> None:
        self._addresses = addresses
        self._driver = driver
        self._pinger = pinger

    async def carry(self, held: Held) -> tuple[Outcome, ...]:
        """Make these cables exist, and no others of ours."""
        needed = held.driver.needs_subnet_addresses
        wanted = plan_subnet_addresses(held.local.subnets, held.host) if needed else ()
        addresses = await _attempt_addresses(self._addresses, wanted)
        cables = await self._driver.sync(held.cables)
        self._aim(held.cables, Origin(held.host.cni_address, held.driver.interface_name))
        return addresses, cables

    async def release(self) -> tuple[Outcome, ...]:
        """Take every cable of ours down: another gateway carries them now, or nobody should."""
        self._aim((), Origin())
        return await self._driver.cleanup(), await _attempt_addresses(self._addresses, ())

    def _aim(self, cables: Sequence[Cable], origin: Origin) -> None:
        if self._pinger is not None:
            targets = {cable.cable_name: _ping_target(cable) for cable in cables}
            self._pinger.aim({name: target for name, target in targets.items() if target}, origin)


def _ping_target(cable: Cable) -> IPAddress | None:
    """The peer's health-check address, if it is of the IP version that this gateway speaks."""
    target = cable.remote.ping_target
    return target if target and target.version == cable.local.private_ip.version else None


async def _attempt_addresses(table: AddressTable, wanted: Sequence[Address]) -> Outcome:
    try:
        return await sync_addresses(table, wanted, LOOPBACK)
    except Transient as failure:
        return Outcome("addresses", failures=(failure,))

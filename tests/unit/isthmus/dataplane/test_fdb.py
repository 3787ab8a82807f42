from __future__ import annotations

from ipaddress import ip_address

from isthmus.dataplane.fdb import ZERO_MAC, FdbEntry, sync_fdb
from tests.fakes.netlink import FakeKernel, fake_netlink

VX, MAC = "vx-submariner", "02:00:00:00:00:09"


def entry(mac, host):
    return FdbEntry(VX, mac, ip_address(host))


async def counts(before, after):
    kernel = FakeKernel()
    kernel.add_device(VX)
    table = fake_netlink(kernel).fdb
    await sync_fdb(table, before, VX)
    outcome = await sync_fdb(table, after, VX)
    assert sorted(map(str, kernel.fdb)) == sorted(map(str, after))
    return outcome.added, outcome.changed, outcome.removed


async def test_zero_mac_has_one_entry_per_host():
    before = [entry(ZERO_MAC, "192.0.2.3"), entry(ZERO_MAC, "192.0.2.4")]

    assert await counts(before, [entry(ZERO_MAC, "192.0.2.4"), entry(ZERO_MAC, "192.0.2.5")]) == (1, 0, 1)


async def test_other_mac_that_moves_is_one_change():
    assert await counts([entry(MAC, "192.0.2.3")], [entry(MAC, "192.0.2.4")]) == (0, 1, 0)

from __future__ import annotations

from ipaddress import ip_address

from isthmus.dataplane.neighbours import Neighbour, sync_neighbours
from tests.fakes.netlink import FakeKernel, fake_netlink

FIRST = Neighbour("vx-submariner", ip_address("240.0.2.9"), "02:00:00:00:00:09")
MOVED = Neighbour("vx-submariner", ip_address("240.0.2.9"), "02:00:00:00:00:0a")


async def test_new_mac_of_an_address_is_a_change_and_none_wanted_clears_the_link():
    kernel = FakeKernel()
    kernel.add_device("vx-submariner")
    table = fake_netlink(kernel).neighbours

    outcomes = [await sync_neighbours(table, wanted, "vx-submariner") for wanted in ([FIRST], [MOVED], [])]

    assert [(one.added, one.changed, one.removed) for one in outcomes] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert kernel.neighbours == {}

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from isthmus.dataplane import ownership
from isthmus.dataplane.errors import InTheWay
from isthmus.dataplane.links import VxlanLink, owned_links, sync_links
from isthmus.reconcile.errors import Transient
from tests.fakes.netlink import FakeKernel, fake_netlink

WORKER = VxlanLink(
    "vx-submariner", 100, 4800, 1450, ip_address("192.0.2.1"), ip_address("192.0.2.9"), "02:00:00:00:00:01"
)


async def written(before, after):
    kernel = FakeKernel()
    table = fake_netlink(kernel).links
    await sync_links(table, [before])
    kernel.writes.clear()
    await sync_links(table, [after])
    assert (await owned_links(table))[after.name].vxlan == after
    return set(kernel.writes)


@pytest.mark.parametrize(
    "change",
    [{"mtu": 1400}, {"mac": "02:00:00:00:00:02"}, {"group": ip_address("192.0.2.8")}],
    ids=["mtu", "mac", "group"],
)
async def test_small_change_keeps_the_link(change):
    assert await written(WORKER, replace(WORKER, **change)) == {"links.adjust"}


@pytest.mark.parametrize(
    "change",
    [{"vni": 101}, {"port": 4790}, {"local": ip_address("192.0.2.2")}, {"group": None}],
    ids=["vni", "port", "local", "no group"],
)
async def test_change_of_the_tunnel_makes_a_new_link(change):
    assert await written(WORKER, replace(WORKER, **change)) == {"links.delete", "links.create"}


async def test_link_without_our_alias_is_in_the_way_and_named_with_the_command_that_removes_it():
    kernel = FakeKernel()
    kernel.add_device("vx-submariner", kind="bridge")

    outcome = await sync_links(fake_netlink(kernel).links, [WORKER])

    assert [type(error) for error in outcome.failures] == [InTheWay]
    assert str(outcome.failures[0]) == (
        "interface vx-submariner (kind bridge) is in the way: it was not made by Isthmus "
        "(no alias 'isthmus'); remove it with `ip link del vx-submariner` if nobody needs it"
    )
    assert not kernel.writes


async def test_foreign_tunnel_with_our_id_and_port_is_named_instead_of_the_kernels_bare_no():
    kernel = FakeKernel()
    kernel.add_device("other0", kind="vxlan")
    twin = replace(WORKER, name="other0", group=None)
    kernel.links["other0"] = replace(kernel.links["other0"], vxlan=twin)

    outcome = await sync_links(fake_netlink(kernel).links, [WORKER])

    assert [str(error) for error in outcome.failures] == [
        "interface other0 (VXLAN id 100 on UDP port 4800, as vx-submariner) is in the way: it was not made "
        "by Isthmus (no alias 'isthmus'); remove it with `ip link del other0` if nobody needs it"
    ]
    assert not kernel.writes


async def test_every_link_with_our_alias_goes_when_none_is_wanted():
    kernel = FakeKernel()
    kernel.add_device("old0", kind="vxlan", alias=ownership.LINK_ALIAS)
    kernel.add_device("eth0")

    outcome = await sync_links(fake_netlink(kernel).links, [])

    assert outcome.removed == 1
    assert list(kernel.links) == ["eth0"]


async def test_unreadable_table_is_a_failure_and_nothing_is_written():
    kernel = FakeKernel()
    kernel.fail_next("links.dump", Transient("the dump was interrupted"))

    outcome = await sync_links(fake_netlink(kernel).links, [WORKER])

    assert [str(error) for error in outcome.failures] == ["the dump was interrupted"]
    assert not kernel.writes

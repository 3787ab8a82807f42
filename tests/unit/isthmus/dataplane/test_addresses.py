from __future__ import annotations

from ipaddress import ip_interface

from isthmus.dataplane import ownership
from isthmus.dataplane.addresses import Address, owned_addresses, sync_addresses
from tests.fakes.netlink import FakeKernel, fake_netlink

VX, LABEL = ownership.VXLAN_LINK, ownership.ADDRESS_LABEL


def address(text, device=VX, label=""):
    return Address(device, ip_interface(text), label)


def kernel():
    made = FakeKernel()
    for device in ("lo", VX):
        made.add_device(device)
    return made


async def test_every_address_of_our_link_is_ours_but_the_kernels_link_local_one():
    made = kernel()
    made.add_address(VX, "240.0.2.1/8")
    made.add_address(VX, "fe80::1/64")

    assert list(await owned_addresses(fake_netlink(made).addresses, VX)) == [address("240.0.2.1/8")]


async def test_on_other_devices_only_labelled_addresses_are_ours():
    made = kernel()
    made.add_address("lo", "10.96.0.1/32")
    made.addresses.append(address("10.45.0.0/32", "lo", LABEL))

    outcome = await sync_addresses(fake_netlink(made).addresses, [], "lo")

    assert outcome.removed == 1
    assert made.addresses == [address("10.96.0.1/32", "lo")]


async def test_change_within_one_network_takes_one_pass():
    made = kernel()
    table = fake_netlink(made).addresses
    await sync_addresses(table, [address("240.0.2.1/8")], VX)

    await sync_addresses(table, [address("240.0.2.2/8")], VX)

    assert made.addresses == [address("240.0.2.2/8")]


async def test_address_that_went_along_with_an_unwanted_one_is_put_back_in_the_same_pass():
    made = kernel()
    made.add_address(VX, "240.0.2.1/8")
    made.add_address(VX, "240.0.2.2/8")

    outcome = await sync_addresses(fake_netlink(made).addresses, [address("240.0.2.2/8")], VX)

    assert (outcome.removed, outcome.added) == (1, 1)
    assert made.addresses == [address("240.0.2.2/8")]


async def test_missing_device_is_a_failure_of_the_step():
    outcome = await sync_addresses(fake_netlink(FakeKernel()).addresses, [address("240.0.2.1/8")], VX)

    assert [str(error) for error in outcome.failures] == ["interface vx-submariner does not exist"]

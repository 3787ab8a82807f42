from __future__ import annotations

from ipaddress import ip_address, ip_interface, ip_network

import pytest

from isthmus.dataplane.addresses import Address
from isthmus.dataplane.errors import Missing
from isthmus.dataplane.facts import HostFacts, host_facts
from isthmus.dataplane.ownership import ADDRESS_LABEL, VXLAN_LINK
from isthmus.dataplane.routes import Route
from tests.fakes.netlink import FakeKernel, fake_netlink

PODS = [ip_network("10.244.0.0/16")]


def host() -> FakeKernel:
    kernel = FakeKernel()
    kernel.add_device("eth0", mtu=8950)
    kernel.add_device("cni0")
    kernel.add_address("eth0", "192.0.2.1/24")
    kernel.add_route(Route(ip_network("0.0.0.0/0"), 254, device="eth0", via=ip_address("192.0.2.254")))
    return kernel


async def test_facts_are_the_uplinks_source_device_and_mtu_and_the_cni_address():
    kernel = host()
    kernel.add_address("cni0", "10.244.1.1/24")

    facts = await host_facts(fake_netlink(kernel), 4, PODS)

    assert facts == HostFacts(ip_address("192.0.2.1"), "eth0", 8950, "cni0", ip_address("10.244.1.1"))


async def test_our_own_addresses_make_no_cni_device():
    kernel = host()
    kernel.addresses.append(Address("lo", ip_interface("10.244.0.0/32"), ADDRESS_LABEL))
    kernel.add_address(VXLAN_LINK, "10.244.9.9/32")

    facts = await host_facts(fake_netlink(kernel), 4, PODS)

    assert (facts.cni_device, facts.cni_address) == (None, None)


async def test_default_route_with_the_lowest_metric_counts():
    kernel = host()
    kernel.add_device("wlan0")
    kernel.add_address("wlan0", "198.51.100.1/24")
    kernel.routes.clear()
    for device, metric in (("wlan0", 600), ("eth0", 100)):
        kernel.add_route(Route(ip_network("0.0.0.0/0"), 254, metric, device=device))

    assert (await host_facts(fake_netlink(kernel), 4, PODS)).default_device == "eth0"


async def test_host_without_a_default_route_is_told_so():
    with pytest.raises(Missing, match="no IPv6 default route"):
        await host_facts(fake_netlink(host()), 6, PODS)


async def test_default_device_without_an_address_is_named():
    kernel = host()
    kernel.addresses.clear()

    with pytest.raises(Missing, match="device eth0 of the IPv4 default route has no address yet"):
        await host_facts(fake_netlink(kernel), 4, PODS)

"""A host's facts are the same whether its kernel is in memory or real."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from isthmus.dataplane.errors import Missing
from isthmus.dataplane.facts import host_facts
from isthmus.dataplane.routes import Route, RouteType, sync_routes
from tests.contract.kernel_world import world

pytestmark = pytest.mark.parametrize("where", ["fake", pytest.param("kernel", marks=pytest.mark.root)])


async def test_host_facts_are_read_from_the_default_route_and_the_pod_network(where: str) -> None:
    async with world(where) as there:
        facts = await host_facts(there.netlink, 4, [ip_network("10.0.0.0/16")])

        assert (str(facts.private_ip), facts.default_device, facts.default_mtu) == ("192.0.2.1", "eth0", 1500)
        assert (facts.cni_device, str(facts.cni_address)) == ("cni0", "10.0.1.1")


async def test_host_knows_its_address_though_a_peer_announces_the_network_of_its_router(where: str) -> None:
    async with world(where) as there:
        closed = Route(ip_network("192.0.2.240/28"), 254, 15000, kind=RouteType.UNREACHABLE)
        assert not (await sync_routes(there.netlink.routes, [closed], family=4, tables=[254])).failures

        facts = await host_facts(there.netlink, 4, [])

        assert str(facts.private_ip) == "192.0.2.1"


async def test_host_facts_for_ipv6_without_a_pod_network_have_no_cni_device(where: str) -> None:
    async with world(where) as there:
        facts = await host_facts(there.netlink, 6, [ip_network("fd00::/48")])

        assert str(facts.private_ip) == "2001:db8::1"
        assert facts.cni_device is None


async def test_host_without_a_default_route_is_told_what_is_missing(where: str) -> None:
    async with world(where) as there:
        there.remove_link("eth0")

        with pytest.raises(Missing, match="no IPv4 default route"):
            await host_facts(there.netlink, 4, [])

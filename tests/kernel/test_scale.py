"""Thousands of peers: reading back costs little, and one change writes one thing."""

from __future__ import annotations

import resource
import time
from dataclasses import replace
from ipaddress import IPv4Network, ip_address, ip_network

import pytest

from isthmus.dataplane import ownership
from isthmus.dataplane.command import SystemCommand
from isthmus.dataplane.iptables.driver import sync_ruleset
from isthmus.dataplane.iptables.kernel import kernel_packet_filter
from isthmus.dataplane.netlink import kernel_netlink
from isthmus.dataplane.routes import Route, sync_routes
from isthmus.dataplane.ruleset import Accept, AddressSet, Chain, Hook, Match, Rule, Ruleset, SetName
from tests.netns import private_namespace, run

pytestmark = pytest.mark.root

COUNT = 4000
GOAL_CPU_SECONDS = 1.0


def networks(count: int) -> list[IPv4Network]:
    first = int(ip_address("10.128.0.0"))
    return [IPv4Network((first + (number << 8), 24)) for number in range(count)]


def spent() -> float:
    """CPU seconds of this process and the programs it ran."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


async def test_four_thousand_routes_are_read_back_and_compared_within_a_second_of_cpu() -> None:
    with private_namespace():
        run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "wan0")
        run("ip", "link", "set", "eth0", "up")
        wanted = [Route(network, 150, device="eth0") for network in networks(COUNT)]
        async with kernel_netlink() as netlink:
            first = await sync_routes(netlink.routes, wanted, family=4, tables=(150, 254))
            assert first.added == COUNT

            start = spent()
            idle = await sync_routes(netlink.routes, wanted, family=4, tables=(150, 254))
            cpu = spent() - start
            changed = [*wanted[1:], Route(ip_network("10.1.0.0/16"), 150, device="eth0")]
            delta = await sync_routes(netlink.routes, changed, family=4, tables=(150, 254))

    assert idle.writes == 0
    assert (delta.added, delta.removed) == (1, 1)
    assert cpu < GOAL_CPU_SECONDS, f"{cpu:.2f} s"


@pytest.mark.parametrize("backend", ["nft", "legacy"])
async def test_four_thousand_set_entries_are_read_back_and_compared_within_a_second_of_cpu(backend) -> None:
    with private_namespace():
        packet_filter = kernel_packet_filter(SystemCommand(), 4, backend)
        remote = SetName(ownership.REMOTE_SET)
        chain = Chain("mangle", "SUBMARINER-POSTROUTING", (Rule(Match(source=remote), Accept(), "peers"),))
        hook = Hook("mangle", "POSTROUTING", chain.name, first=True)
        wanted = Ruleset(4, (AddressSet(remote, 4, frozenset(networks(COUNT))),), (chain,), (hook,))
        first = await sync_ruleset(packet_filter, wanted)
        assert first.failures == ()

        start = spent()
        idle = await sync_ruleset(packet_filter, wanted)
        cpu = spent() - start
        fewer = AddressSet(remote, 4, frozenset(networks(COUNT - 1)))
        delta = await sync_ruleset(packet_filter, replace(wanted, sets=(fewer,)))

    assert idle.writes == 0
    assert (delta.added, delta.changed, delta.removed) == (0, 0, 1)
    assert cpu < GOAL_CPU_SECONDS, f"{cpu:.2f} s"

"""What an uninstall leaves behind in the kernel: nothing, compared as the text that the tools print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from typing import Any

import pytest

from isthmus.dataplane import ownership
from isthmus.dataplane.addresses import Address, sync_addresses
from isthmus.dataplane.command import SystemCommand
from isthmus.dataplane.fdb import ZERO_MAC, FdbEntry, sync_fdb
from isthmus.dataplane.iptables.backend import detect_backend
from isthmus.dataplane.iptables.driver import sync_ruleset
from isthmus.dataplane.iptables.kernel import kernel_packet_filter
from isthmus.dataplane.links import VxlanLink, sync_links
from isthmus.dataplane.neighbours import Neighbour, sync_neighbours
from isthmus.dataplane.netlink import kernel_netlink
from isthmus.dataplane.routes import Route, RouteType, sync_routes
from isthmus.dataplane.rules import PolicyRule, sync_rules
from isthmus.dataplane.ruleset import Accept, AddressSet, Chain, Hook, Match, Rule, Ruleset, SetName
from isthmus.dataplane.sysctl import KernelSysctl, OriginalsFile, sync_sysctls
from isthmus.reconcile.outcome import Outcome
from tests.netns import private_namespace, run

pytestmark = pytest.mark.root

VX = ownership.VXLAN_LINK
TOOLS = (
    "ip -d link",
    "ip address",
    "ip neigh show nud permanent",
    "ip rule",
    "ip -6 rule",
    "ip route show table all",
    "ip -6 route show table all",
    "iptables-nft-save",
    "iptables-legacy-save",
    "ipset save",
    "nft list ruleset",
    "ip xfrm policy",
    "sysctl -a --pattern net.ipv4.conf",
)


@pytest.fixture
def host() -> Iterator[str]:
    """A namespace with an uplink, a CNI bridge, and rules and sets of somebody else."""
    with private_namespace() as name:
        run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "wan0")
        run("ip", "link", "add", "cni0", "type", "bridge")
        for device, address in (("eth0", "192.0.2.1/24"), ("cni0", "10.0.1.1/24")):
            run("sysctl", "-qw", f"net.ipv6.conf.{device}.disable_ipv6=1")
            run("ip", "address", "add", address, "dev", device)
            run("ip", "link", "set", device, "up")
        run("sysctl", "-qw", "net.ipv6.conf.wan0.disable_ipv6=1")
        run("ip", "link", "set", "wan0", "up")
        run("ip", "route", "add", "default", "via", "192.0.2.254")
        run("ip", "route", "add", "10.99.0.0/16", "dev", "eth0", "table", "150")
        run("ipset", "create", "OPERATOR", "hash:net")
        run("iptables-nft", "-A", "FORWARD", "-i", "eth9", "-j", "DROP")
        yield name


def everything() -> dict[str, list[str]]:
    """What each tool prints, without dates, packet counts and running timers."""
    return {
        tool: [
            re.sub(r"\[\d+:\d+\]|packets \d+ bytes \d+|\w+_timer +[\d.]+", "", line)
            for line in run(*tool.split()).splitlines()
            if not line.startswith("#")
        ]
        for tool in TOOLS
    }


def wanted_ruleset() -> Ruleset:
    remote = SetName(ownership.REMOTE_SET)
    chain = "SUBMARINER-POSTROUTING"
    keep = Rule(Match(destination=remote), Accept(), "pods keep their address")
    return Ruleset(
        4,
        (AddressSet(remote, 4, frozenset({ip_network("10.1.0.0/16")})),),
        (Chain("nat", chain, (keep,)), Chain("mangle", chain, (keep,))),
        (Hook("nat", "POSTROUTING", chain, True), Hook("mangle", "POSTROUTING", chain, True)),
    )


async def passes(state: Path, *, is_wanted: bool) -> list[Outcome]:
    """One pass of every driver that starts from nothing but the kernel and the state file."""
    link = VxlanLink(VX, 100, 4800, 1450, ip_address("192.0.2.1"), None, "02:00:00:00:00:01")
    routes = [
        Route(ip_network("10.1.0.0/16"), 150, device="eth0", source=ip_address("10.0.1.1")),
        Route(ip_network("10.1.0.0/16"), 150, 4096, kind=RouteType.UNREACHABLE),
    ]
    label = ownership.ADDRESS_LABEL
    command = SystemCommand()
    packet_filter = kernel_packet_filter(command, 4, await detect_backend(command, 4))

    def want(*records: object) -> list[Any]:
        return list(records) if is_wanted else []

    async with kernel_netlink() as netlink:
        return [
            sync_sysctls(
                KernelSysctl(),
                OriginalsFile(state),
                {"net/ipv4/conf/cni0/rp_filter": "2", "net/ipv4/conf/all/send_redirects": "0"}
                if is_wanted
                else {},
            ),
            await sync_ruleset(packet_filter, wanted_ruleset() if is_wanted else Ruleset(4)),
            await sync_links(netlink.links, want(link)),
            await sync_addresses(netlink.addresses, want(Address(VX, ip_interface("240.0.2.1/8"))), VX),
            await sync_addresses(
                netlink.addresses, want(Address("lo", ip_interface("10.45.0.0/32"), label)), "lo"
            ),
            await sync_neighbours(
                netlink.neighbours, want(Neighbour(VX, ip_address("240.0.2.9"), "02:00:00:00:00:09")), VX
            ),
            await sync_fdb(netlink.fdb, want(FdbEntry(VX, ZERO_MAC, ip_address("192.0.2.9"))), VX),
            await sync_rules(netlink.rules, want(PolicyRule(150, 150, 4)), family=4),
            await sync_routes(netlink.routes, want(*routes), family=4, tables=(150, 254)),
        ]


async def test_removal_leaves_the_kernel_text_equal_to_before(host: str, tmp_path: Path) -> None:
    state = tmp_path / "sysctls.json"
    before = everything()

    first = await passes(state, is_wanted=True)
    assert [outcome.failures for outcome in first] == [()] * len(first)
    assert all(outcome.writes for outcome in first)
    assert everything() != before
    second = await passes(state, is_wanted=True)
    assert [outcome.writes for outcome in second] == [0] * len(second)

    gone = await passes(state, is_wanted=False)
    assert [outcome.failures for outcome in gone] == [()] * len(gone)
    assert everything() == before
    assert not state.exists()

"""The tables in memory and the kernel's behave alike, and every driver obeys the four laws over both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

import pytest

from isthmus.dataplane import ownership
from isthmus.dataplane.addresses import Address, sync_addresses
from isthmus.dataplane.errors import Exists, InTheWay, KernelRefused, Missing
from isthmus.dataplane.fdb import ZERO_MAC, FdbEntry, sync_fdb
from isthmus.dataplane.links import VxlanLink, owned_links, sync_links
from isthmus.dataplane.neighbours import Neighbour, sync_neighbours
from isthmus.dataplane.routes import Route, RouteType, sync_routes
from isthmus.dataplane.rules import PolicyRule, sync_rules
from isthmus.reconcile.outcome import Outcome
from tests.contract.kernel_world import FakeWorld, World, world
from tests.laws import Faults, Subject, obeys_the_four_laws

pytestmark = pytest.mark.parametrize("where", ["fake", pytest.param("kernel", marks=pytest.mark.root)])

VX = ownership.VXLAN_LINK
WORKER = VxlanLink(VX, 100, 4800, 1450, ip_address("192.0.2.1"), ip_address("192.0.2.9"), "02:00:00:00:00:01")
MOVED = VxlanLink(VX, 100, 4800, 1400, ip_address("192.0.2.1"), ip_address("192.0.2.8"), "02:00:00:00:00:02")
GATEWAY = VxlanLink(VX, 100, 4800, 1450, ip_address("192.0.2.1"), None, "02:00:00:00:00:01")


Wanted = tuple[Any, ...]


def address(text: str, device: str = VX, label: str = "") -> Address:
    return Address(device, ip_interface(text), label)


def route(dst: str, table: int = 254, metric: int = 0, **fields: str) -> Route:
    via, source = (ip_address(fields[name]) if name in fields else None for name in ("via", "source"))
    return Route(ip_network(dst), table, metric, fields.get("device"), via, source)


def subject(
    there: World,
    table: str,
    operations: str,
    sync: Callable[[Wanted], Awaitable[Outcome]],
    *wanted: Wanted,
) -> Subject[Wanted]:
    async def state() -> object:
        return there.state()

    faults = None
    if isinstance(there, FakeWorld):
        names = tuple(f"{table}.{operation}" for operation in operations.split())
        faults = Faults(names, there.kernel.fail_next, there.kernel.failures.clear)
    return Subject(sync, state, wanted, (), faults)


async def test_link_driver_obeys_the_four_laws(where: str) -> None:
    async with world(where) as there:
        there.foreign_link("flannel.1", kind="vxlan")

        def sync(links: Iterable[VxlanLink]) -> Awaitable[Outcome]:
            return sync_links(there.netlink.links, links)

        await obeys_the_four_laws(
            subject(there, "links", "dump create adjust delete", sync, (WORKER,), (MOVED,), (GATEWAY,))
        )


async def test_address_driver_obeys_the_four_laws_on_our_link(where: str) -> None:
    async with world(where) as there:
        await sync_links(there.netlink.links, [WORKER])

        def sync(addresses: Iterable[Address]) -> Awaitable[Outcome]:
            return sync_addresses(there.netlink.addresses, addresses, VX)

        await obeys_the_four_laws(
            subject(
                there,
                "addresses",
                "dump put drop",
                sync,
                (address("240.0.2.1/8"),),
                (address("240.0.2.2/8"), address("fd00::1/64")),
            )
        )


async def test_address_driver_obeys_the_four_laws_on_a_foreign_link(where: str) -> None:
    async with world(where) as there:
        label = ownership.ADDRESS_LABEL
        if isinstance(there, FakeWorld):
            there.kernel.add_device("lo")
        there.foreign_address("lo", "10.96.0.1/32")

        def sync(addresses: Iterable[Address]) -> Awaitable[Outcome]:
            return sync_addresses(there.netlink.addresses, addresses, "lo")

        await obeys_the_four_laws(
            subject(
                there,
                "addresses",
                "dump put drop",
                sync,
                (address("10.45.0.0/32", "lo", label),),
                (address("10.46.0.0/32", "lo", label), address("fd00::7/128", "lo", label)),
            )
        )


async def test_neighbour_driver_obeys_the_four_laws(where: str) -> None:
    async with world(where) as there:
        await sync_links(there.netlink.links, [WORKER])
        there_is = [
            Neighbour(VX, ip_address("240.0.2.9"), "02:00:00:00:00:09"),
            Neighbour(VX, ip_address("240.0.2.9"), "02:00:00:00:00:0a"),
            Neighbour(VX, ip_address("240.0.2.8"), "02:00:00:00:00:08"),
        ]

        def sync(entries: Iterable[Neighbour]) -> Awaitable[Outcome]:
            return sync_neighbours(there.netlink.neighbours, entries, VX)

        await obeys_the_four_laws(
            subject(there, "neighbours", "dump put drop", sync, (there_is[0],), tuple(there_is[1:]))
        )


async def test_fdb_driver_obeys_the_four_laws(where: str) -> None:
    async with world(where) as there:
        await sync_links(there.netlink.links, [GATEWAY])

        def entry(mac: str, host: str) -> FdbEntry:
            return FdbEntry(VX, mac, ip_address(host))

        def sync(entries: Iterable[FdbEntry]) -> Awaitable[Outcome]:
            return sync_fdb(there.netlink.fdb, entries, VX)

        known = "02:00:00:00:00:09"
        first = (entry(ZERO_MAC, "192.0.2.3"), entry(ZERO_MAC, "192.0.2.4"), entry(known, "192.0.2.3"))
        second = (entry(ZERO_MAC, "192.0.2.4"), entry(ZERO_MAC, "192.0.2.5"), entry(known, "192.0.2.5"))
        await obeys_the_four_laws(subject(there, "fdb", "dump put drop", sync, first, second))


async def test_fdb_entry_of_the_group_is_the_links_and_stays(where: str) -> None:
    async with world(where) as there:
        await sync_links(there.netlink.links, [WORKER])

        outcome = await sync_fdb(there.netlink.fdb, [], VX)

        assert outcome.writes == 0
        assert await there.netlink.fdb.dump(VX) == ()


async def test_route_driver_obeys_the_four_laws(where: str) -> None:
    async with world(where) as there:
        await sync_links(there.netlink.links, [WORKER])
        await sync_addresses(there.netlink.addresses, [address("240.0.2.1/8")], VX)
        there.foreign_route("10.99.0.0/16", 150, "eth0")
        there.foreign_route("10.98.0.0/16", 254, "eth0")
        closed = Route(ip_network("10.1.0.0/16"), 150, 4096, kind=RouteType.UNREACHABLE)

        def sync(routes: Iterable[Route]) -> Awaitable[Outcome]:
            return sync_routes(there.netlink.routes, routes, family=4, tables=(150, 254))

        first = (
            route("10.1.0.0/16", device=VX, via="240.0.2.9", source="240.0.2.1"),
            route("10.1.0.0/16", 150, device="eth0", source="10.0.1.1"),
            closed,
        )
        second = (
            route("10.1.0.0/16", device=VX, via="240.0.2.8", source="240.0.2.1"),
            route("10.2.0.0/16", 150, device="eth0", source="10.0.1.1"),
            Route(ip_network("10.3.0.0/16"), 150, device="eth0", via=ip_address("203.0.113.7"), onlink=True),
            Route(ip_network("10.4.0.0/16"), 254, 9, kind=RouteType.BLACKHOLE),
            closed,
        )
        await obeys_the_four_laws(subject(there, "routes", "dump add replace drop", sync, first, second))


async def test_route_driver_obeys_the_four_laws_for_ipv6(where: str) -> None:
    async with world(where) as there:

        def sync(routes: Iterable[Route]) -> Awaitable[Outcome]:
            return sync_routes(there.netlink.routes, routes, family=6, tables=(150, 254))

        first = (
            route("fd00:1::/48", device="eth0", via="2001:db8::9"),
            Route(ip_network("fd00:1::/48"), 150, 4096, kind=RouteType.UNREACHABLE),
        )
        second = (
            route("fd00:1::/48", device="eth0", via="2001:db8::8"),
            route("fd00:2::/48", 150, 7, device="eth0", source="2001:db8::1"),
        )
        await obeys_the_four_laws(subject(there, "routes", "dump add replace drop", sync, first, second))


async def test_rule_driver_obeys_the_four_laws(where: str) -> None:
    async with world(where) as there:
        there.foreign_rule(149, 149)

        def sync(rules: Iterable[PolicyRule]) -> Awaitable[Outcome]:
            return sync_rules(there.netlink.rules, rules, family=4)

        first = (PolicyRule(150, 150, 4),)
        second = (
            PolicyRule(150, 151, 4),
            PolicyRule(151, 150, 4, ip_network("10.1.0.0/16"), ip_network("10.2.0.0/16")),
        )
        await obeys_the_four_laws(subject(there, "rules", "dump put drop", sync, first, second))


async def test_rule_driver_obeys_the_four_laws_for_ipv6(where: str) -> None:
    async with world(where) as there:

        def sync(rules: Iterable[PolicyRule]) -> Awaitable[Outcome]:
            return sync_rules(there.netlink.rules, rules, family=6)

        first = (PolicyRule(150, 150, 6),)
        second = (PolicyRule(151, 150, 6, destination=ip_network("fd00:2::/48")),)
        await obeys_the_four_laws(subject(there, "rules", "dump put drop", sync, first, second))


async def test_equal_looking_foreign_rule_survives_the_removal_of_ours(where: str) -> None:
    async with world(where) as there:
        there.foreign_rule(150, 150)
        before = there.state()
        await sync_rules(there.netlink.rules, [PolicyRule(150, 150, 4)], family=4)

        await sync_rules(there.netlink.rules, [], family=4)

        assert there.state() == before


async def test_foreign_link_of_our_name_is_left_alone_and_named(where: str) -> None:
    async with world(where) as there:
        there.foreign_link(VX, kind="vxlan")
        before = there.state()

        outcome = await sync_links(there.netlink.links, [WORKER])

        assert [type(error) for error in outcome.failures] == [InTheWay]
        assert "interface vx-submariner (kind vxlan) is in the way" in str(outcome.failures[0])
        assert there.state() == before


async def test_foreign_route_with_our_key_is_left_alone_and_named(where: str) -> None:
    async with world(where) as there:
        there.foreign_route("10.1.0.0/16", 254, "cni0")
        before = there.state()

        outcome = await sync_routes(
            there.netlink.routes, [route("10.1.0.0/16", device="eth0")], family=4, tables=[254]
        )

        assert [type(error) for error in outcome.failures] == [InTheWay]
        assert "route to 10.1.0.0/16" in str(outcome.failures[0])
        assert there.state() == before


async def test_one_bad_route_does_not_stop_the_others(where: str) -> None:
    async with world(where) as there:
        wanted = [
            route("10.1.0.0/16", device="eth0", via="198.51.100.1"),
            route("10.2.0.0/16", device="missing0"),
            route("10.3.0.0/16", device="eth0"),
            route("10.4.0.0/16", device="eth0", source="198.51.100.1"),
        ]

        outcome = await sync_routes(there.netlink.routes, wanted, family=4, tables=[254])

        assert outcome.added == 1
        assert [type(error) for error in outcome.failures] == [KernelRefused, Missing, KernelRefused]
        assert await there.netlink.routes.dump(4, 254) == (wanted[2],)


async def test_deleting_a_link_takes_what_stands_on_it_and_the_drivers_put_it_back(where: str) -> None:
    async with world(where) as there:
        netlink = there.netlink
        wanted = route("10.1.0.0/16", device=VX, via="240.0.2.9")

        async def everything() -> int:
            return sum(
                outcome.writes
                for outcome in (
                    await sync_links(netlink.links, [WORKER]),
                    await sync_addresses(netlink.addresses, [address("240.0.2.1/8")], VX),
                    await sync_neighbours(
                        netlink.neighbours, [Neighbour(VX, ip_address("240.0.2.9"), "02:00:00:00:00:09")], VX
                    ),
                    await sync_routes(netlink.routes, [wanted], family=4, tables=[254]),
                )
            )

        await everything()
        there.remove_link(VX)
        assert await netlink.routes.dump(4, 254) == ()
        assert await netlink.neighbours.dump(VX) == ()

        assert await everything() == 4
        assert await everything() == 0


async def test_link_that_was_set_down_comes_up_again_with_its_routes(where: str) -> None:
    async with world(where) as there:
        netlink = there.netlink
        wanted = route("10.1.0.0/16", device=VX, via="240.0.2.9")
        await sync_links(netlink.links, [WORKER])
        await sync_addresses(netlink.addresses, [address("240.0.2.1/8")], VX)
        await sync_routes(netlink.routes, [wanted], family=4, tables=[254])
        there.set_down(VX)

        links = await sync_links(netlink.links, [WORKER])
        routes = await sync_routes(netlink.routes, [wanted], family=4, tables=[254])

        assert (links.changed, routes.added) == (1, 1)
        assert (await owned_links(netlink.links))[VX].up


async def test_gateway_that_moves_costs_a_worker_no_route(where: str) -> None:
    async with world(where) as there:
        netlink = there.netlink
        wanted = route("10.1.0.0/16", device=VX, via="240.0.2.9")
        await sync_links(netlink.links, [WORKER])
        await sync_addresses(netlink.addresses, [address("240.0.2.1/8")], VX)
        await sync_routes(netlink.routes, [wanted], family=4, tables=[254])

        outcome = await sync_links(netlink.links, [MOVED])

        assert outcome.changed == 1
        assert (await owned_links(netlink.links))[VX].vxlan == MOVED
        assert await netlink.routes.dump(4, 254) == (wanted,)


async def test_address_that_goes_takes_the_later_ones_of_its_network(where: str) -> None:
    async with world(where) as there:
        table = there.netlink.addresses
        first, second = address("10.7.0.1/16", "eth0"), address("10.7.0.2/16", "eth0")
        await table.put(first)
        await table.put(second)

        await table.drop(first)

        assert second not in await table.dump()


async def test_adding_twice_and_removing_what_is_missing_is_fine(where: str) -> None:
    async with world(where) as there:
        netlink = there.netlink
        there_is = address("240.0.2.1/8", "eth0")
        rule = PolicyRule(150, 150, 4)
        for _ in range(2):
            await netlink.addresses.put(there_is)
            await netlink.rules.put(rule)
        for _ in range(2):
            await netlink.addresses.drop(there_is)
            await netlink.rules.drop(rule)
            await netlink.routes.drop(route("10.1.0.0/16", device="eth0"))
            await netlink.neighbours.drop(Neighbour("eth0", ip_address("192.0.2.9"), "02:00:00:00:00:09"))
            await netlink.links.delete("missing0")


async def test_adding_a_route_twice_says_that_it_exists(where: str) -> None:
    async with world(where) as there:
        await there.netlink.routes.add(route("10.1.0.0/16", device="eth0"))

        with pytest.raises(Exists):
            await there.netlink.routes.add(route("10.1.0.0/16", device="cni0"))


async def test_change_in_the_tables_is_news(where: str) -> None:
    async with world(where) as there:
        feed = there.netlink.feed.changes()
        first = asyncio.ensure_future(anext(feed))  # noqa: TID251 - the test awaits it below
        await asyncio.sleep(0)

        await there.netlink.rules.put(PolicyRule(150, 150, 4))

        await asyncio.wait_for(first, 5)
        await feed.aclose()

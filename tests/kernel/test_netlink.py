"""What only the real kernel shows: leftovers of a kill, news in bursts, default routes over several hops."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from ipaddress import ip_address, ip_network

import pytest

from isthmus.dataplane import ownership
from isthmus.dataplane.errors import NoPermission
from isthmus.dataplane.links import VxlanLink, owned_links, sync_links
from isthmus.dataplane.netlink import kernel_netlink
from isthmus.dataplane.routes import Route
from tests.netns import private_namespace, run

pytestmark = pytest.mark.root

LINK = VxlanLink(ownership.VXLAN_LINK, 100, 4800, 1450, ip_address("192.0.2.1"), None, "02:00:00:00:00:01")


def uplinks(*names: str) -> None:
    for number, name in enumerate(names, start=1):
        run("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}-p")
        run("ip", "address", "add", f"192.0.{number}.1/24", "dev", name)
        run("ip", "link", "set", name, "up")


async def test_link_that_died_before_it_got_our_name_is_cleared_away() -> None:
    with private_namespace():
        # What a kill right after the creation leaves: VNI and port are taken, name and alias missing.
        unborn = f"ip link add {ownership.UNBORN_LINK} type vxlan id 100 dstport 4800 local 192.0.2.1"
        async with kernel_netlink() as netlink:
            run(*unborn.split())
            outcome = await sync_links(netlink.links, [LINK])
            assert (outcome.added, outcome.removed, outcome.failures) == (1, 1, ())
            assert (await owned_links(netlink.links))[LINK.name].vxlan == LINK

            await sync_links(netlink.links, [])
            run(*unborn.split())
            await sync_links(netlink.links, [])
            assert await owned_links(netlink.links) == {}


async def test_burst_of_changes_is_little_news() -> None:
    with private_namespace():
        uplinks("eth0")
        async with kernel_netlink() as netlink, aclosing(netlink.feed.changes()) as news:
            waiting = asyncio.ensure_future(anext(news))  # noqa: TID251 - awaited below
            await asyncio.sleep(0)

            batch = "".join(f"route add 10.{n // 250}.{n % 250}.0/24 dev eth0\n" for n in range(5000))
            run("ip", "-batch", "-", stdin=batch)

            await asyncio.wait_for(waiting, 5)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(news), 0.2)


async def test_default_route_over_several_hops_counts_by_its_first() -> None:
    with private_namespace():
        uplinks("eth0", "eth1")
        hops = "nexthop via 192.0.2.254 dev eth1 nexthop via 192.0.1.254 dev eth0"
        run("ip", "route", "add", "default", *hops.split())
        async with kernel_netlink() as netlink:
            best = await netlink.uplinks.best(4)

        assert best is not None
        assert (best.device, str(best.via), str(best.source)) == ("eth1", "192.0.2.254", "192.0.2.1")


async def test_default_route_without_a_gateway_gives_the_devices_address() -> None:
    with private_namespace():
        uplinks("eth0")
        run("ip", "route", "add", "default", "dev", "eth0")
        async with kernel_netlink() as netlink:
            best = await netlink.uplinks.best(4)

        assert best is not None
        assert (best.device, best.via, str(best.source)) == ("eth0", None, "192.0.1.1")


async def test_source_that_the_default_route_prescribes_is_the_source() -> None:
    with private_namespace():
        uplinks("eth0")
        run("ip", "address", "add", "203.0.113.7/32", "dev", "lo")
        run(*["ip", "route", "add", "default", "via", "192.0.1.254", "src", "203.0.113.7"])
        async with kernel_netlink() as netlink:
            best = await netlink.uplinks.best(4)

        assert best is not None
        assert str(best.source) == "203.0.113.7"


async def test_other_peoples_routes_in_our_tables_are_not_read_as_ours() -> None:
    with private_namespace():
        uplinks("eth0")
        for protocol in ("static", "bgp", "ra"):
            route = f"10.9.0.0/16 dev eth0 table 150 proto {protocol} metric {len(protocol)}"
            run("ip", "route", "add", *route.split())
        async with kernel_netlink() as netlink:
            ours = Route(ip_network("10.1.0.0/16"), 150, device="eth0")
            await netlink.routes.add(ours)

            assert await netlink.routes.dump(4, 150) == (ours,)
            assert await netlink.routes.dump(4, 151) == ()


async def test_tables_can_be_read_at_the_same_time() -> None:
    with private_namespace():
        uplinks("eth0")
        lines = (
            f"route add 10.{n // 250}.{n % 250}.0/24 dev eth0 table 150 proto 150\n" for n in range(2000)
        )
        run("ip", "-batch", "-", stdin="".join(lines))
        async with kernel_netlink() as netlink:
            dumps = await asyncio.gather(*(netlink.routes.dump(4, 150) for _ in range(4)))

    assert [len(routes) for routes in dumps] == [2000] * 4


async def test_lacking_the_right_to_change_is_said_with_what_to_do() -> None:
    with private_namespace():
        uplinks("eth0")
        script = (
            "import asyncio\n"
            "from ipaddress import ip_network\n"
            "from isthmus.dataplane.netlink import kernel_netlink\n"
            "from isthmus.dataplane.routes import Route, sync_routes\n"
            "async def main():\n"
            "    async with kernel_netlink() as netlink:\n"
            "        wanted = [Route(ip_network('10.1.0.0/16'), 254, device='eth0')]\n"
            "        print((await sync_routes(netlink.routes, wanted, family=4, tables=[254])).failures)\n"
            "asyncio.run(main())\n"
        )
        said = run(
            "setpriv",
            "--bounding-set",
            "-net_admin",
            "--inh-caps",
            "-net_admin",
            sys.executable,
            "-c",
            script,
        )

        assert NoPermission.__name__ in said
        assert "run as root with the NET_ADMIN capability" in said

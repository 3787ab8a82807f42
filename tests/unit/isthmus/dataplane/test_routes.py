from __future__ import annotations

from ipaddress import ip_address, ip_network

from isthmus.dataplane.errors import InTheWay
from isthmus.dataplane.routes import Route, RouteType, owned_routes, sync_routes
from tests.fakes.netlink import FakeKernel, fake_netlink

TABLES = (150, 254)


def kernel():
    made = FakeKernel()
    made.add_device("eth0")
    made.add_address("eth0", "192.0.2.1/24")
    return made


def route(dst, table=254, metric=0, **fields):
    return Route(ip_network(dst), table, metric, device="eth0", **fields)


async def sync(made, *desired, family=4):
    return await sync_routes(fake_netlink(made).routes, desired, family=family, tables=TABLES)


async def test_changed_next_hop_replaces_the_route_in_place():
    made = kernel()
    await sync(made, route("10.1.0.0/16", via=ip_address("192.0.2.9")))
    made.writes.clear()

    outcome = await sync(made, route("10.1.0.0/16", via=ip_address("192.0.2.8")))

    assert outcome.changed == 1
    assert dict(made.writes) == {"routes.replace": 1}


async def test_fallback_with_a_worse_metric_is_a_route_of_its_own():
    made = kernel()
    closed = Route(ip_network("10.1.0.0/16"), 150, 4096, kind=RouteType.UNREACHABLE)
    await sync(made, route("10.1.0.0/16", 150), closed)

    await sync(made, closed)

    assert list((await owned_routes(fake_netlink(made).routes, 4, TABLES)).values()) == [closed]


async def test_foreign_route_with_the_same_key_is_reported_and_stays():
    made = kernel()
    made.add_route(route("10.1.0.0/16", via=ip_address("192.0.2.7")))
    before = list(made.routes)

    outcome = await sync(made, route("10.1.0.0/16"))

    assert [type(error) for error in outcome.failures] == [InTheWay]
    assert str(outcome.failures[0]) == (
        "a route to 10.1.0.0/16 with metric 0 that is not ours is in table 254; "
        "remove it or give it another metric"
    )
    assert made.routes == before


async def test_ipv6_route_without_a_metric_is_compared_with_what_the_kernel_makes_of_it():
    made = kernel()
    await sync(made, route("fd00:1::/48"), family=6)

    outcome = await sync(made, route("fd00:1::/48"), family=6)

    assert outcome.writes == 0
    assert [held.metric for _, held in made.routes] == [1024]


async def test_one_changed_destination_among_thousands_writes_one_route():
    made = kernel()
    many = [route(f"10.{number // 250}.{number % 250}.0/24") for number in range(2000)]
    await sync(made, *many)
    made.writes.clear()

    outcome = await sync(made, *many[1:], route("172.16.0.0/16"))

    assert (outcome.added, outcome.removed) == (1, 1)
    assert made.writes.total() == 2

from __future__ import annotations

from ipaddress import ip_address

from gateway.cabling import Cabling
from gateway.health.ping import Pinger, PingTiming
from gateway.picture import Held
from gateway.plan.cables import plan_cable
from isthmus.dataplane.errors import Busy
from tests.builders import endpoint_spec
from tests.fakes.cabledriver import FakeCableDriver
from tests.fakes.clock import FakeClock
from tests.fakes.echoes import FakeEchoes
from tests.fakes.netlink import FakeKernel, fake_netlink
from tests.unit.gateway.worlds import KERNEL_ESP, LIBIPSEC, host

LOCAL = endpoint_spec("east", "10.96.0.0/16", "10.244.0.0/16")
WEST = plan_cable(LOCAL, endpoint_spec("west", "10.97.0.0/16", health_check_ip="10.97.0.1"))
IPV6 = plan_cable(LOCAL, endpoint_spec("six", "10.99.0.0/16", "fd00:99::/64", health_check_ip="fd00:99::1"))
STRAY = plan_cable(LOCAL, endpoint_spec("stray", "10.98.0.0/16", health_check_ip="192.0.2.1"))


class Rig:
    def __init__(self, pings: bool = True) -> None:
        self.kernel = FakeKernel()
        self.kernel.add_device("lo")
        self.driver = FakeCableDriver()
        self.echoes = FakeEchoes()
        self.pinger = Pinger(self.echoes, FakeClock(), PingTiming(), lambda: None)
        addresses = fake_netlink(self.kernel).addresses
        self.cabling = Cabling(addresses, self.driver, self.pinger if pings else None)

    @property
    def addresses(self) -> list[str]:
        return [str(address.interface) for address in self.kernel.addresses]


def held(*cables, facts=LIBIPSEC) -> Held:
    return Held(LOCAL, host(), facts, cables)


async def test_the_address_that_a_tunnel_needs_comes_with_it():
    rig = Rig()

    await rig.cabling.carry(held(WEST))

    assert rig.addresses == ["10.96.0.0/32"]
    assert list(rig.driver.held) == [WEST.cable_name]


async def test_a_driver_that_needs_no_address_gets_none_and_old_ones_go():
    rig = Rig()
    await rig.cabling.carry(held(WEST))

    await rig.cabling.carry(held(WEST, facts=KERNEL_ESP))

    assert rig.addresses == []


async def test_only_peers_with_a_health_address_behind_the_tunnel_are_pinged():
    rig = Rig()

    await rig.cabling.carry(held(WEST, STRAY, IPV6))

    assert {name: one.address for name, one in rig.pinger.health().items()} == {
        WEST.cable_name: ip_address("10.97.0.1")
    }


async def test_a_refused_address_does_not_keep_the_tunnels_back():
    rig = Rig()
    rig.kernel.fail_next("addresses.dump", Busy("the kernel is busy"))

    outcomes = await rig.cabling.carry(held(WEST))

    assert [len(outcome.failures) for outcome in outcomes] == [1, 0]
    assert rig.driver.held


async def test_releasing_leaves_no_tunnel_no_address_and_no_ping():
    rig = Rig()
    await rig.cabling.carry(held(WEST))

    outcomes = await rig.cabling.release()

    assert [outcome.removed for outcome in outcomes] == [1, 1]
    assert (rig.driver.held, rig.addresses, rig.pinger.health()) == ({}, [], {})


async def test_without_health_checks_nobody_is_pinged():
    rig = Rig(pings=False)

    await rig.cabling.carry(held(WEST))

    assert rig.pinger.health() == {}

from __future__ import annotations

from gateway.drivers import CableDriver
from gateway.plan.ipsec import IpsecOptions
from gateway.strongswan import StrongswanDriver
from isthmus.charon.records import Psk
from tests.fakes.cabledriver import FakeCableDriver
from tests.fakes.charon import FakeCharon
from tests.fakes.clock import FakeClock


def test_the_ipsec_driver_and_the_fake_can_stand_for_each_other():
    real: CableDriver = StrongswanDriver(FakeCharon(), IpsecOptions(Psk("QUJD")), FakeClock())
    fake: CableDriver = FakeCableDriver()

    assert real.name == fake.name == "libreswan"

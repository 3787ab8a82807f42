from __future__ import annotations

import pytest

from crds.lease import parse_lease
from gateway.leadership import Holding
from gateway.leasefile import LEASE, LeaseFile
from isthmus.kube.errors import Unavailable
from isthmus.kube.resources import LEASES
from tests.builders import NAMESPACE
from tests.fakes.clock import FakeClock
from tests.fakes.kubeapi import FakeKube


def rig() -> tuple[FakeKube, FakeClock, LeaseFile]:
    kube, clock = FakeKube(namespaces=[NAMESPACE]), FakeClock()
    return kube, clock, LeaseFile(kube, NAMESPACE, 15.0, clock)


def stored(kube: FakeKube):
    found = kube.object(LEASES, NAMESPACE, LEASE)
    assert found is not None
    return parse_lease(found)


async def test_no_lease_reads_as_none():
    _, _, file = rig()

    assert await file.read() is None


async def test_the_first_write_creates_the_lease_with_a_first_term():
    kube, clock, file = rig()
    await file.read()

    holding = await file.write("us", None, new_term=True)

    lease = stored(kube)
    assert holding == Holding("us", 15.0, lease.resource_version, 0)
    assert (lease.holder, lease.duration_seconds, lease.transitions) == ("us", 15, 0)
    assert lease.acquire_time == lease.renew_time == clock.now()


async def test_a_renewal_keeps_the_term_and_moves_the_renew_time():
    kube, clock, file = rig()
    first = await file.write("us", None, new_term=True)
    began = clock.now()
    await clock.advance(2.0)

    await file.write("us", first, new_term=False)

    lease = stored(kube)
    assert (lease.acquire_time, lease.renew_time, lease.transitions) == (began, clock.now(), 0)


async def test_a_new_holder_counts_a_transition():
    kube, clock, file = rig()
    await file.write("them", None, new_term=True)
    other = LeaseFile(kube, NAMESPACE, 15.0, clock)

    await other.write("us", await other.read(), new_term=True)

    assert (stored(kube).holder, stored(kube).transitions) == ("us", 1)


async def test_a_released_lease_has_no_holder_and_a_valid_duration():
    kube, _, file = rig()
    held = await file.write("us", None, new_term=True)

    released = await file.write("", held, new_term=False)

    assert released is not None
    assert released.holder == ""
    assert stored(kube).duration_seconds == 1


async def test_of_two_writers_over_one_version_the_second_loses():
    kube, clock, file = rig()
    held = await file.write("them", None, new_term=True)
    other = LeaseFile(kube, NAMESPACE, 15.0, clock)
    await clock.advance(2.0)
    await file.write("them", held, new_term=False)

    assert await other.write("us", held, new_term=True) is None
    assert await other.write("us", None, new_term=True) is None
    assert stored(kube).holder == "them"


async def test_an_api_that_is_away_is_told_as_such():
    kube, _, file = rig()
    kube.refuse(Unavailable)

    with pytest.raises(Unavailable):
        await file.read()

"""A foreign member whose objects change: from bad to good, and from one Endpoint to two."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from isthmus.lab.lab import Lab
from tests.e2e import rogue
from tests.e2e.patience import eventually
from tests.e2e.rogue import Case, cluster, endpoint
from tests.e2e.seen import (
    MEMBERS,
    assert_cables,
    assert_event,
    assert_forgotten,
    assert_not_refused,
    assert_refused,
)
from tests.e2e.steady import Steady


@pytest.fixture(autouse=True)
def nobody_else_is_harmed(bad_lab: Lab, flow: Steady) -> Iterator[None]:
    with flow.unharmed():
        yield
        rogue.remove(bad_lab)
        for member in MEMBERS:
            eventually(partial(assert_forgotten, bad_lab, member))
            eventually(partial(assert_cables, bad_lab, member, set()))


def test_of_two_endpoints_of_one_cluster_the_newer_is_honoured(bad_lab: Lab) -> None:
    older, newer = f"{rogue.ID}-a", f"{rogue.ID}-b"
    cable = "submariner-cable-rogue-192-0-2-10"
    case = Case("", "metadata.name", f"superseded by the newer {newer}", (), named=older)
    rogue.write(bad_lab, (cluster(), endpoint(older)))
    for member in MEMBERS:
        eventually(partial(assert_cables, bad_lab, member, {rogue.CABLE}))

    rogue.write(bad_lab, (endpoint(newer, cable_name=cable, private_ip="192.0.2.10"),))

    for member in MEMBERS:
        eventually(partial(assert_refused, bad_lab, member, case))
        eventually(partial(assert_event, bad_lab, member, case))
        eventually(partial(assert_cables, bad_lab, member, {cable}))


def test_a_corrected_endpoint_is_honoured(bad_lab: Lab) -> None:
    outside = Case("", "spec.subnets[0]", "outside the CIDRs", ())
    rogue.write(bad_lab, (cluster(), endpoint(subnets=["10.40.0.0/16"])))
    for member in MEMBERS:
        eventually(partial(assert_refused, bad_lab, member, outside))

    rogue.correct(bad_lab, endpoint())

    for member in MEMBERS:
        eventually(partial(assert_cables, bad_lab, member, {rogue.CABLE}))
        eventually(partial(assert_not_refused, bad_lab, member))

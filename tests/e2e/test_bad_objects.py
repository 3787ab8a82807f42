"""A foreign member's bad Clusters and Endpoints: each is refused where a user looks, and harms nobody.

They are written at the broker. Our own schema refuses what it can there; a broker whose schema is
Submariner's takes everything, and then the gateways must refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from isthmus.lab.lab import Lab
from tests.e2e import rogue
from tests.e2e.badcases import FALSE_NAMES, JUDGED_CASES, SCHEMA_CASES
from tests.e2e.crdswap import loose_schemas
from tests.e2e.hoststate import assert_same_state, host_state
from tests.e2e.patience import eventually
from tests.e2e.rogue import Case
from tests.e2e.seen import MEMBERS, assert_event, assert_not_refused, assert_refused
from tests.e2e.steady import Steady

REFUSED = [
    case.of_member(f"rogue{number}")
    for number, case in enumerate((*SCHEMA_CASES, *JUDGED_CASES, *FALSE_NAMES), start=1)
]
"""Each from a member of its own, so that all of them can be there at once."""


@pytest.fixture(autouse=True)
def nobody_else_is_harmed(flow: Steady) -> Iterator[None]:
    with flow.unharmed():
        yield


@pytest.fixture(scope="module")
def upstream_broker(bad_lab: Lab) -> Iterator[None]:
    with loose_schemas(bad_lab):
        yield


@pytest.fixture(scope="module")
def crowd(bad_lab: Lab, upstream_broker: None) -> Iterator[None]:
    """All bad objects are at the broker at once, and nothing of them is in any kernel or charon."""
    before = host_state(bad_lab)
    written = rogue.write(bad_lab, tuple(item for case in REFUSED for item in case.objects))
    assert written.ok, written.stderr
    try:
        yield
        eventually(partial(assert_same_state, bad_lab, before), seconds=5)
    finally:
        rogue.remove(bad_lab)
    for member in MEMBERS:
        eventually(partial(assert_not_refused, bad_lab, member))


def titled(case: Case) -> str:
    return case.title


@pytest.mark.parametrize("case", SCHEMA_CASES, ids=titled)
def test_our_schema_takes_no_bad_object_and_names_the_field(bad_lab: Lab, case: Case) -> None:
    done = rogue.write(bad_lab, case.objects, "--dry-run=server")

    assert not done.ok
    assert case.field in done.stderr, done.stderr
    assert len(done.stderr) < 2000, "too long for anybody to read"


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("case", REFUSED, ids=titled)
def test_what_a_loose_broker_lets_in_is_refused_by_every_daemon_and_named_in_an_event(
    bad_lab: Lab, crowd: None, member: str, case: Case
) -> None:
    eventually(partial(assert_refused, bad_lab, member, case))
    eventually(partial(assert_event, bad_lab, member, case))

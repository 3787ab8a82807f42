from __future__ import annotations

from crds.gateway import Gateway, GatewayStatus, HaStatus
from crds.meta import ObjectRef
from gateway.siblings import Siblings
from tests.builders import NAMESPACE, endpoint_spec

LOCAL = endpoint_spec("east", "10.96.0.0/16")


def gateway(
    name: str, updated: int | None, status: HaStatus = HaStatus.PASSIVE, failure: str = ""
) -> Gateway:
    shown = GatewayStatus("1", status, LOCAL, status_failure=failure)
    return Gateway(ObjectRef("Gateway", NAMESPACE, name), shown, updated)


def test_we_are_no_sibling_of_ourselves():
    siblings = Siblings().after([gateway("us", 1)], own="us", at=0.0)

    assert siblings.candidates(0.0) == ()
    assert siblings.stale(100.0) == ()


def test_a_gateway_whose_timestamp_stands_still_for_fifteen_seconds_is_stale():
    siblings = Siblings().after([gateway("other", 7)], own="us", at=100.0)
    siblings = siblings.after([gateway("other", 7)], own="us", at=110.0)

    assert siblings.stale(114.9) == ()
    assert siblings.stale(115.0) == ("other",)


def test_a_gateway_is_alive_however_wrong_its_clock_is():
    siblings = Siblings()
    for at in (0.0, 10.0, 20.0):
        siblings = siblings.after([gateway("other", int(at) - 1_000_000)], own="us", at=at)

    assert siblings.stale(21.0) == ()


def test_an_object_without_timestamp_gets_its_time_before_it_is_stale():
    siblings = Siblings().after([gateway("other", None)], own="us", at=0.0)

    assert siblings.stale(14.0) == ()
    assert siblings.stale(15.0) == ("other",)


def test_only_a_live_passive_gateway_without_failure_could_take_over():
    gateways = [
        gateway("broken", 1, failure="no charon"),
        gateway("leading", 1, HaStatus.ACTIVE),
        gateway("ready", 1),
    ]
    siblings = Siblings().after(gateways, own="us", at=0.0)

    assert siblings.candidates(10.0) == ("ready",)
    assert siblings.candidates(20.0) == ()


def test_a_gateway_that_is_gone_is_forgotten():
    siblings = Siblings().after([gateway("other", 1)], own="us", at=0.0).after([], own="us", at=1.0)

    assert siblings.stale(100.0) == ()

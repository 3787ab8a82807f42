import pytest

from crds.meta import ObjectRef, Rejection
from isthmus.kube.errors import Forbidden
from isthmus.kube.events import PER_HOUR, PER_PASS, REPEAT_SECONDS, Reporter
from isthmus.kube.resources import EVENTS
from tests.fakes.clock import FakeClock
from tests.fakes.kubeapi import FakeKube

WEST = Rejection(ObjectRef("Endpoint", "default", "west", "uid-1"), "spec.subnets[0]", "overlaps ours")


def reporter(api: FakeKube, clock: FakeClock) -> Reporter:
    return Reporter(api, clock, "isthmus-gateway", "east-gw", "default")


def counts(api: FakeKube) -> list[int]:
    return [event["count"] for event in api.objects(EVENTS)]


async def test_a_refusal_becomes_an_event_on_its_object():
    api = FakeKube()

    outcome = await reporter(api, FakeClock()).report([WEST])

    (event,) = api.objects(EVENTS, "default")
    assert outcome.added == 1
    assert event["involvedObject"] == {
        "apiVersion": "submariner.io/v1",
        "kind": "Endpoint",
        "namespace": "default",
        "name": "west",
        "uid": "uid-1",
    }
    assert (event["type"], event["reason"]) == ("Warning", "Refused")
    assert event["message"] == "spec.subnets[0]: overlaps ours"
    assert event["source"] == {"component": "isthmus-gateway", "host": "east-gw"}
    assert event["firstTimestamp"] == "2026-01-01T00:00:00Z"


async def test_what_was_said_is_not_said_again_at_the_next_pass():
    api, clock = FakeKube(), FakeClock()
    telling = reporter(api, clock)
    await telling.report([WEST])
    writes = api.writes

    assert (await telling.report([WEST, WEST])).writes == 0
    assert api.writes == writes


async def test_what_lasts_is_said_again_after_a_while_in_the_same_event():
    api, clock = FakeKube(), FakeClock()
    telling = reporter(api, clock)
    await telling.report([WEST])
    await clock.advance(REPEAT_SECONDS)

    outcome = await telling.report([WEST])

    (event,) = api.objects(EVENTS)
    assert outcome.changed == 1
    assert (event["count"], event["lastTimestamp"]) == (2, "2026-01-01T00:30:00Z")


async def test_what_was_gone_meanwhile_counts_up():
    api = FakeKube()
    telling = reporter(api, FakeClock())
    await telling.report([WEST])
    await telling.report([])

    await telling.report([WEST])

    assert counts(api) == [2]


async def test_a_restarted_daemon_counts_on():
    api = FakeKube()
    await reporter(api, FakeClock()).report([WEST])

    await reporter(api, FakeClock()).report([WEST])

    assert counts(api) == [2]


async def test_another_reason_is_another_event():
    api = FakeKube()
    telling = reporter(api, FakeClock())
    await telling.report([WEST])

    await telling.report([Rejection(WEST.ref, "spec.private_ip", "is loopback")])

    assert len(api.objects(EVENTS)) == 2


async def test_a_refused_event_is_a_failure_and_is_tried_again():
    api = FakeKube()
    api.fail_next("create", Forbidden)
    telling = reporter(api, FakeClock())

    (failure,) = (await telling.report([WEST])).failures
    assert isinstance(failure, Forbidden)

    assert (await telling.report([WEST])).added == 1


async def test_thousands_of_refusals_are_said_a_few_at_a_time():
    api = FakeKube()
    telling = reporter(api, FakeClock())
    many = [Rejection(WEST.ref, f"spec.subnets[{number}]", "is bad") for number in range(50)]

    assert [(await telling.report(many)).added for _ in range(4)] == [PER_PASS, PER_PASS, 10, 0]


@pytest.mark.parametrize(
    ("ref", "where"),
    [
        (ObjectRef("Node", "", "gw"), ""),
        (ObjectRef("Endpoint", "submariner-k8s-broker", "west"), "in namespace submariner-k8s-broker: "),
    ],
)
async def test_an_event_about_an_object_elsewhere_is_where_the_daemon_may_write_it(
    ref: ObjectRef, where: str
) -> None:
    api = FakeKube()

    await reporter(api, FakeClock()).report([Rejection(ref, "spec.private_ip", "is no address")])

    (event,) = api.objects(EVENTS, "default")
    assert (event["involvedObject"]["namespace"], event["involvedObject"]["name"]) == ("default", ref.name)
    assert event["message"] == f"{where}spec.private_ip: is no address"


async def test_a_bad_object_that_changes_all_the_time_does_not_fill_the_api_server():
    api, clock = FakeKube(), FakeClock()
    one = reporter(api, clock)
    ref = ObjectRef("Endpoint", "default", "west")

    for number in range(PER_HOUR + 100):
        await one.report([Rejection(ref, "spec.hostname", f"version {number} is odd")])
    assert len(api.objects(EVENTS)) == PER_HOUR

    await clock.advance(3600)
    await one.report([Rejection(ref, "spec.hostname", "is odd")])
    assert len(api.objects(EVENTS)) == PER_HOUR + 1


async def test_long_names_and_messages_from_a_stranger_fit():
    api = FakeKube()
    refusal = Rejection(ObjectRef("Endpoint", "default", "w" * 199 + "." + "w" * 53), "spec", "x" * 100_000)

    outcome = await reporter(api, FakeClock()).report([refusal])

    assert outcome.failures == ()
    (event,) = api.objects(EVENTS)
    assert len(event["message"]) <= 1024
    assert len(event["metadata"]["name"]) <= 253

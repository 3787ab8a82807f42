from __future__ import annotations

from crds.cluster import parse_cluster
from crds.endpoint import Endpoint, parse_endpoint
from gateway.localendpoint import local_cluster
from gateway.publish import Announcement, publish
from isthmus.kube.api import Object
from isthmus.kube.errors import Forbidden
from isthmus.kube.resources import CLUSTERS, ENDPOINTS
from isthmus.reconcile.outcome import Outcome
from tests.builders import NAMESPACE, endpoint_object, endpoint_spec
from tests.fakes.kubeapi import FakeKube
from tests.unit.gateway.worlds import settings

OURS = endpoint_spec("east", "10.96.0.0/16", private_ip="172.18.0.2")
FORMER = endpoint_object("east", "10.96.0.0/16", private_ip="172.18.0.3")


def kube(*objects: Object) -> FakeKube:
    return FakeKube(objects, namespaces=[NAMESPACE])


def published(api: FakeKube) -> list[Endpoint]:
    return [parse_endpoint(item) for item in api.objects(ENDPOINTS, NAMESPACE)]


WANTED = Announcement(local_cluster(settings()), OURS)


async def announce(api: FakeKube) -> Outcome:
    clusters = [parse_cluster(item) for item in api.objects(CLUSTERS, NAMESPACE)]
    return await publish(api, NAMESPACE, WANTED, clusters, published(api))


async def test_cluster_and_endpoint_are_created_in_this_order():
    api = kube()

    outcome = await announce(api)

    assert (outcome.added, outcome.failures) == (2, ())
    created = [call.resource for call in api.calls if call.verb == "create"]
    assert created == ["clusters.submariner.io", "endpoints.submariner.io"]
    assert [endpoint.spec for endpoint in published(api)] == [OURS]


async def test_a_second_announcement_calls_nobody():
    api = kube()
    await announce(api)
    api.calls.clear()

    outcome = await announce(api)

    assert (outcome.writes, api.calls) == (0, [])


async def test_an_object_that_is_right_though_not_known_yet_is_not_written_again():
    api = kube()
    await announce(api)
    before = api.writes

    outcome = await publish(api, NAMESPACE, WANTED, (), ())

    assert (outcome.writes, api.writes) == (0, before)


async def test_the_endpoint_of_a_former_gateway_is_withdrawn_after_ours_is_there():
    api = kube(FORMER)

    outcome = await announce(api)

    assert outcome.removed == 1
    assert [endpoint.spec for endpoint in published(api)] == [OURS]
    assert [call.verb for call in api.calls if call.verb in ("create", "delete")][-1] == "delete"


async def test_a_former_endpoint_stays_while_ours_cannot_be_written():
    api = kube(FORMER)
    api.refuse(Forbidden, verb="create", resource=ENDPOINTS)

    outcome = await announce(api)

    assert len(outcome.failures) == 1
    assert [endpoint.ref.name for endpoint in published(api)] == [FORMER["metadata"]["name"]]


async def test_a_former_endpoint_that_somebody_else_removed_meanwhile_is_no_failure():
    api = kube(FORMER)
    gone = published(api)
    api.remove(ENDPOINTS, NAMESPACE, FORMER["metadata"]["name"])

    outcome = await publish(api, NAMESPACE, WANTED, (), gone)

    assert (outcome.removed, outcome.failures) == (0, ())


async def test_an_object_of_ours_that_somebody_changed_is_put_right():
    api = kube()
    await announce(api)
    cluster = api.object(CLUSTERS, NAMESPACE, "east")
    assert cluster is not None
    cluster["spec"]["cluster_cidr"] = ["10.0.0.0/8"]
    api.put(cluster)

    outcome = await announce(api)

    assert outcome.changed == 1

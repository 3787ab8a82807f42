from __future__ import annotations

import pytest

from broker.plan import plan_sync
from broker.side import Side, remove_all, write
from broker.transform import ItemKey, SyncItem, read_cluster, read_endpoint
from crds.meta import ClusterId
from isthmus.kube.errors import Conflict, Forbidden, Refused, Unauthorized, Unavailable
from isthmus.kube.resources import CLUSTERS, ENDPOINTS
from isthmus.reconcile.delta import Delta
from tests.builders import cluster_object, endpoint_object
from tests.fakes.kubeapi import FakeKube

WEST = [
    cluster_object("west", "10.2.0.0/16", namespace="broker", origin="west"),
    endpoint_object("west", "10.2.0.0/16", namespace="broker", origin="west"),
]


def fake(*objects) -> FakeKube:
    return FakeKube(objects, namespaces=["here"])


def side(api: FakeKube) -> Side:
    return Side("this cluster's API server", api, "here")


def copies(*raw) -> Delta[ItemKey, SyncItem]:
    """Return the writes that bring *raw* from the broker into an empty cluster."""
    readers = {"Cluster": read_cluster, "Endpoint": read_endpoint}
    read = [readers[each["kind"]](each) for each in raw]
    return plan_sync(ClusterId("east"), {}, {item.key: item for item in read}).down


async def test_copies_are_created_in_the_namespace_of_the_side():
    api = fake()

    written = await write(side(api), copies(*WEST))

    assert [item.ref.name for item in written.added] == ["west", WEST[1]["metadata"]["name"]]
    assert [each["metadata"]["namespace"] for each in api.objects(CLUSTERS)] == ["here"]
    assert api.objects(ENDPOINTS)[0]["spec"] == WEST[1]["spec"]


async def test_what_is_there_already_is_not_written_again():
    api = fake()
    await write(side(api), copies(*WEST))

    written = await write(side(api), copies(*WEST))

    assert (written.added, written.changed) == ([], [])
    assert api.writes == 2


async def test_what_differs_is_replaced_as_a_whole():
    api = fake(cluster_object("west", "10.9.0.0/16", namespace="here", origin="west"))

    written = await write(side(api), copies(WEST[0]))

    assert [item.ref.name for item in written.changed] == ["west"]
    assert api.objects(CLUSTERS)[0]["spec"] == WEST[0]["spec"]


async def test_deleting_what_is_gone_is_no_failure():
    gone = copies(*WEST).added

    written = await write(side(fake()), Delta({}, {}, gone))

    assert (written.removed, written.failures) == ([], [])


@pytest.mark.parametrize("error", [Unavailable, Unauthorized])
async def test_after_trouble_with_the_server_no_other_call_is_tried(error):
    api = fake()
    api.refuse(error)

    written = await write(side(api), copies(*WEST))

    assert len(api.calls) == 1
    assert [str(failure)[:26] for failure in written.failures] == ["this cluster's API server:"]


@pytest.mark.parametrize("error", [Conflict, Forbidden])
async def test_trouble_with_one_object_does_not_stop_the_others(error):
    api = fake()
    api.fail_next("create", error)

    written = await write(side(api), copies(*WEST))

    assert [item.ref.kind for item in written.added] == ["Endpoint"]
    assert len(written.failures) == 1


async def test_content_that_the_server_refuses_is_told_apart():
    api = fake()
    api.fail_next("create", Refused)

    written = await write(side(api), copies(*WEST))

    assert [item.ref.kind for item, _ in written.refused] == ["Cluster"]
    assert written.failures == []


async def test_all_is_removed_endpoints_first_by_label():
    api = fake(
        cluster_object("west", "10.2.0.0/16", namespace="here", origin="west"),
        endpoint_object("west", "10.2.0.0/16", namespace="here", origin="west"),
        cluster_object("south", "10.3.0.0/16", namespace="here", origin="south"),
    )

    written = await remove_all(side(api), "submariner-io/clusterID=west")

    assert [item.ref.kind for item in written.removed] == ["Endpoint", "Cluster"]
    assert [each["metadata"]["name"] for each in api.objects(CLUSTERS)] == ["south"]


async def test_removing_kinds_that_are_not_there_is_no_failure():
    api = fake()
    api.withdraw(ENDPOINTS)

    assert (await remove_all(side(api), "")).failures == []


@pytest.mark.parametrize(("error", "failures"), [(Unavailable, 1), (Forbidden, 2)])
async def test_what_could_not_be_removed_is_said(error, failures):
    api = fake()
    api.refuse(error)

    assert len((await remove_all(side(api), "")).failures) == failures

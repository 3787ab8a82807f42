from __future__ import annotations

from crds.cluster import Cluster, parse_cluster
from crds.endpoint import Endpoint, parse_endpoint
from crds.meta import ClusterId
from gateway.snapshot import Snapshot, take_snapshot
from isthmus.kube.resources import CLUSTERS, ENDPOINTS
from isthmus.kube.store import Store
from tests.builders import cluster_object, endpoint_object


def stores() -> tuple[Store[Cluster], Store[Endpoint]]:
    return Store(CLUSTERS, parse_cluster), Store(ENDPOINTS, parse_endpoint)


def snapshot(clusters: Store[Cluster], endpoints: Store[Endpoint]) -> Snapshot:
    return take_snapshot(clusters.view(), endpoints.view())


def test_nothing_counts_as_synced_until_both_kinds_were_listed():
    clusters, endpoints = stores()
    assert not snapshot(clusters, endpoints).synced

    clusters.replace([])
    assert not snapshot(clusters, endpoints).synced

    endpoints.replace([])
    assert snapshot(clusters, endpoints).synced


def test_records_come_in_the_order_of_their_names_and_refused_ones_beside_them():
    clusters, endpoints = stores()
    clusters.replace([cluster_object("west", "10.97.0.0/16"), cluster_object("north", "10.98.0.0/16")])
    bad = endpoint_object("bad", "10.99.0.0/16")
    bad["spec"]["subnets"] = ["10.99.0.1/16"]
    endpoints.replace([bad])

    taken = snapshot(clusters, endpoints)

    assert [cluster.cluster_id for cluster in taken.clusters] == ["north", "west"]
    assert [refused.rejection.ref.name for refused in taken.invalid] == [bad["metadata"]["name"]]


def test_a_watch_in_trouble_is_told():
    clusters, endpoints = stores()
    endpoints.note_error("cannot watch endpoints")

    assert snapshot(clusters, endpoints).troubles == ("cannot watch endpoints",)


def test_own_endpoints_are_those_with_our_id_that_are_no_copies():
    clusters, endpoints = stores()
    endpoints.replace(
        [
            endpoint_object("east", "10.96.0.0/16"),
            endpoint_object("east", "10.96.0.0/16", private_ip="172.18.0.9", origin="liar"),
            endpoint_object("west", "10.97.0.0/16", origin="west"),
        ]
    )

    own = snapshot(clusters, endpoints).own_endpoints(ClusterId("east"))

    assert [endpoint.origin for endpoint in own] == [None]

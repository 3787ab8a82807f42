from __future__ import annotations

from broker.transform import outgoing, read_cluster, read_endpoint, render
from crds.meta import CLUSTER_ID_LABEL, ClusterId
from tests.builders import cluster_object, endpoint_object

SYSTEM = {"uid": "7", "resourceVersion": "42", "creationTimestamp": "2026-01-01T00:00:00Z", "generation": 3}


def test_a_copy_keeps_labels_annotations_and_unknown_fields_and_drops_other_metadata():
    raw = endpoint_object("east", "10.1.0.0/16", namespace="here")
    raw["metadata"] |= SYSTEM | {"labels": {"a": "b"}, "annotations": {"c": "d"}, "ownerReferences": [{}]}
    raw["spec"]["later"] = {"x": [None]}

    copy = render(outgoing(read_endpoint(raw), ClusterId("east")), "broker")

    assert copy == {
        "apiVersion": "submariner.io/v1",
        "kind": "Endpoint",
        "metadata": {
            "name": raw["metadata"]["name"],
            "namespace": "broker",
            "labels": {"a": "b", CLUSTER_ID_LABEL: "east"},
            "annotations": {"c": "d"},
        },
        "spec": raw["spec"],
    }


def test_what_replaces_an_object_keeps_its_identity_and_version():
    existing = cluster_object("west", "10.2.0.0/16", namespace="here", origin="west")
    existing["metadata"] |= SYSTEM | {"labels": {"old": "1"}, "annotations": {"old": "1"}}
    item = read_cluster(cluster_object("west", "10.4.0.0/16", namespace="broker", origin="west"))

    replaced = render(item, "here", existing)

    assert replaced["metadata"] == {
        **SYSTEM,
        "name": "west",
        "namespace": "here",
        "labels": {CLUSTER_ID_LABEL: "west"},
        "annotations": {},
    }
    assert replaced["spec"]["service_cidr"] == ["10.4.0.0/16"]


def test_a_copy_differs_from_its_original_in_nothing_that_crosses():
    raw = endpoint_object("west", "10.2.0.0/16", namespace="broker", origin="west")
    item = read_endpoint(raw)
    copy = render(item, "here")
    copy["metadata"] |= SYSTEM

    assert read_endpoint(copy).body == item.body


def test_labelling_twice_changes_nothing():
    item = outgoing(read_cluster(cluster_object("east", "10.1.0.0/16")), ClusterId("east"))

    assert outgoing(item, ClusterId("east")) == item


def test_an_object_that_does_not_parse_carries_its_refusal_and_no_body():
    raw = endpoint_object("west", "10.2.0.0/16", origin="west")
    raw["spec"]["subnets"] = []

    item = read_endpoint(raw)

    assert item.refusal is not None
    assert item.refusal.rejection.field == "spec.subnets"
    assert (item.origin, item.claimed, item.body, item.key[0]) == ("west", "west", "", "Endpoint")


def test_a_cluster_that_does_not_parse_is_refused_under_its_own_name():
    raw = cluster_object("west", "10.2.0.0/16")
    raw["spec"]["service_cidr"] = ["0.0.0.0/0"]

    item = read_cluster(raw)

    assert item.refusal is not None
    assert (item.key, item.claimed, item.origin) == (("Cluster", "west"), "west", None)

from __future__ import annotations

import json
from typing import Any

import pytest

from crds.cluster import is_cluster_id, parse_cluster, render_cluster
from crds.meta import ClusterId, Invalid
from tests.builders import cluster_object, networks


def changed(**spec: Any) -> dict[str, Any]:
    raw = cluster_object("west", "10.2.0.0/16", pods=("10.3.0.0/16",), origin="west")
    raw["spec"] |= spec
    return raw


def test_what_was_rendered_is_parsed_to_the_same():
    parsed = parse_cluster(changed())

    assert parsed.cluster_id == "west"
    assert parsed.cidrs == networks("10.2.0.0/16", "10.3.0.0/16")
    assert parsed.origin == "west"
    assert parsed.ref.name == "west"


def test_the_object_has_the_shape_that_other_members_expect():
    rendered = render_cluster(ClusterId("west"), networks("10.2.0.0/16"), networks("10.3.0.0/16"), (), "here")

    assert rendered == {
        "apiVersion": "submariner.io/v1",
        "kind": "Cluster",
        "metadata": {"name": "west", "namespace": "here"},
        "spec": {
            "cluster_id": "west",
            "color_codes": ["blue"],
            "service_cidr": ["10.2.0.0/16"],
            "cluster_cidr": ["10.3.0.0/16"],
            "global_cidr": [],
        },
    }


@pytest.mark.parametrize("cluster_id", ["west", "w", "0", "eu-west-1", "a" * 63])
def test_labels_are_cluster_ids(cluster_id):
    assert is_cluster_id(cluster_id)


@pytest.mark.parametrize(
    "cluster_id", ["", "West", "-west", "west-", "we.st", "we_st", "a" * 64, "wést", "west\n"]
)
def test_anything_else_is_not(cluster_id):
    assert not is_cluster_id(cluster_id)


@pytest.mark.parametrize(
    ("spec", "field", "reason"),
    [
        ({"cluster_id": "West"}, "spec.cluster_id", '"West" is not a cluster id'),
        ({"cluster_id": None}, "spec.cluster_id", "is missing"),
        ({"service_cidr": ["10.2.0.1/16"]}, "spec.service_cidr[0]", "the network is 10.2.0.0/16"),
        ({"cluster_cidr": ["0.0.0.0/0"]}, "spec.cluster_cidr[0]", "covers every address"),
        ({"global_cidr": ["240.0.0.0/8"]}, "spec.global_cidr[0]", "covers reserved addresses"),
        ({"cluster_cidr": ["10.3.0.0/16"] * 257}, "spec.cluster_cidr", "has 257 entries"),
    ],
)
def test_a_fault_is_named_by_field_and_reason(spec, field, reason):
    with pytest.raises(Invalid) as caught:
        parse_cluster(changed(**spec))

    assert caught.value.rejection.field == field
    assert reason in caught.value.rejection.reason
    assert json.loads(caught.value.echo)["cluster_id"] == "west"


def test_null_lists_of_other_members_count_as_empty():
    assert parse_cluster(changed(global_cidr=None)).global_cidrs == ()

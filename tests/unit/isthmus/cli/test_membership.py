from __future__ import annotations

from typing import Any

import pytest

from crds.cluster import Cluster
from crds.meta import ClusterId, ObjectRef
from isthmus.cli.faults import Fault
from isthmus.cli.membership import read_joined, refuse_other_id, refuse_used_id
from isthmus.cli.names import CLUSTER_UID_ANNOTATION

WEST = ClusterId("west")


def account(uid: str | None) -> dict[str, Any]:
    return {
        "metadata": {"name": "cluster-west", "annotations": {CLUSTER_UID_ANNOTATION: uid} if uid else None}
    }


def member(cluster_id: str) -> Cluster:
    return Cluster(ObjectRef("Cluster", "b", cluster_id), ClusterId(cluster_id), (), (), (), None)


def test_a_free_id_is_accepted():
    refuse_used_id(WEST, "uid-1", None, [member("east")])


def test_the_same_cluster_may_join_again():
    refuse_used_id(WEST, "uid-1", account("uid-1"), [member("west")])


@pytest.mark.parametrize(
    ("found", "members"),
    [
        (account("uid-2"), []),
        (account("uid-2"), [member("west")]),
        (account(None), []),
        (None, [member("west")]),
    ],
)
def test_an_id_of_another_cluster_is_refused(found: dict[str, Any] | None, members: list[Cluster]):
    with pytest.raises(Fault, match="'west' is used by another cluster"):
        refuse_used_id(WEST, "uid-1", found, members)


def test_a_member_is_not_given_a_second_id():
    joined = read_joined({"data": {"SUBMARINER_CLUSTERID": "west"}})

    refuse_other_id(WEST, joined)
    with pytest.raises(Fault, match="a member already, as 'west'"):
        refuse_other_id(ClusterId("south"), joined)


def test_a_cluster_that_never_joined_has_no_record():
    assert read_joined(None) is None
    assert read_joined({"data": None}) is None
    refuse_other_id(WEST, None)


def test_the_record_of_a_join_is_read():
    joined = read_joined(
        {
            "data": {
                "SUBMARINER_CLUSTERID": "west",
                "BROKER_K8S_APISERVER": "192.0.2.9:6443",
                "BROKER_K8S_REMOTENAMESPACE": "broker",
                "SUBMARINER_CLUSTERCIDR": "10.1.0.0/16",
                "SUBMARINER_SERVICECIDR": "10.96.0.0/16",
            }
        }
    )

    assert joined is not None
    assert (joined.broker_server, joined.broker_namespace) == ("192.0.2.9:6443", "broker")
    assert joined.cluster_cidr == "10.1.0.0/16"

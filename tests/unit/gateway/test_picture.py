from __future__ import annotations

from crds.meta import ObjectRef, Rejection
from gateway.leadership import Role, Standing
from gateway.localendpoint import LocalPlan
from gateway.picture import Picture
from isthmus.membership.judge import Refusal
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome
from tests.builders import endpoint_spec

OF_NODE = Rejection(ObjectRef("Node", "", "east-gw"), "key", "unknown")
OF_PEER = Rejection(ObjectRef("Endpoint", "ns", "west"), "spec.subnets", "overlap")
SPEC = endpoint_spec("east", "10.96.0.0/16")


def test_before_the_first_pass_a_gateway_is_passive_and_says_that_it_begins():
    assert not Picture().active
    assert Picture().troubles == ("the gateway has just started",)


def test_only_a_leader_is_active():
    assert Picture(role=Role(Standing.LEADER)).active
    assert not Picture(role=Role(Standing.FOLLOWER, "other")).active


def test_what_was_refused_of_the_node_and_of_peers_is_told_together():
    picture = Picture(plan=LocalPlan(SPEC, (OF_NODE,)), refusals=(Refusal(OF_PEER, "west", SPEC),))

    assert picture.rejections == (OF_NODE, OF_PEER)


def test_every_trouble_is_told_once_and_a_settled_role_is_none():
    failure = Outcome("broker", failures=(Transient("the broker is away"), Transient("the broker is away")))
    picture = Picture(
        role=Role(Standing.FOLLOWER, "other"), outcomes=(failure,), watch_troubles=("cannot list clusters",)
    )

    assert picture.troubles == ("cannot list clusters", "the broker is away")

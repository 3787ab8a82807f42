from __future__ import annotations

from dataclasses import replace

from crds.endpoint import EndpointEcho
from crds.gateway import ConnectionStatus
from crds.meta import ObjectRef, Rejection
from isthmus.membership.judge import Membership, Refusal
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome, PassReport
from routeagent.health import PeerReach
from routeagent.plan.node import plan_node
from routeagent.status import LONGEST_FAILURE, Report, ping_targets, route_agent_status
from tests.unit.routeagent.worlds import GATEWAY, NODES, WORKER, node, own, west, world

WEST = west(health_check_ip="10.245.0.1")
CABLE = WEST.spec.cable_name


def report(snapshot, waiting=(), failures=()):
    outcome = PassReport.of([Outcome("routes", failures=tuple(failures))])
    return Report(snapshot.membership, plan_node(snapshot, 4), waiting, outcome)


def entry(told, health=None):
    [remote] = route_agent_status("1.0", told, health or {}).remote_endpoints
    return remote.status, remote.message


def test_a_worker_shows_what_its_pings_say():
    told = report(world(WORKER, WEST, local=own()))
    health = {CABLE: PeerReach(WEST.spec.health_check_ip).after(0.0, 0.002)}

    [remote] = route_agent_status("1.0", told, health).remote_endpoints

    assert (remote.status, remote.message, remote.spec) == (ConnectionStatus.CONNECTED, "", WEST.spec)
    assert remote.latency is not None
    assert remote.latency.last == 0.002


def test_a_gateway_points_to_its_gateway_object():
    status, message = entry(report(world(GATEWAY, WEST, local=own())))

    assert status is ConnectionStatus.NONE
    assert "its Gateway object tells" in message


def test_a_node_without_a_gateway_says_so_for_every_peer():
    assert entry(report(world(WORKER, WEST))) == (
        ConnectionStatus.ERROR,
        "no gateway of this cluster has announced itself yet (there is no local Endpoint)",
    )


def test_a_missing_tunnel_device_is_named():
    status, message = entry(report(world(GATEWAY, WEST, local=own()), waiting=("ipsec0",)))

    assert status is ConnectionStatus.ERROR
    assert message.startswith("waiting for the device ipsec0; until it is back")


def test_before_the_first_plan_nothing_is_claimed():
    told = Report(world(WORKER, WEST, local=own()).membership)

    assert entry(told) == (
        ConnectionStatus.ERROR,
        "this node cannot read its own network (statusFailure says why), and changes nothing until it can",
    )


def test_a_refused_object_is_an_entry_with_its_reason():
    rejection = Rejection(ObjectRef("Endpoint", "ns", "bad"), "spec.subnets[0]", "is not a network")
    membership = Membership(own(), (), (Refusal(rejection, "west", EndpointEcho("{}")),))

    assert entry(Report(membership)) == (ConnectionStatus.ERROR, "refused: spec.subnets[0]: is not a network")


def test_a_peer_that_this_node_leaves_out_is_refused_and_not_pinged():
    greedy = west("10.0.0.0/12", health_check_ip="10.0.0.1")
    told = report(world(WORKER, greedy, local=own()))

    status, message = entry(told)

    assert status is ConnectionStatus.ERROR
    assert message.startswith("refused: spec.subnets: 10.0.0.0/12 holds the node address")
    assert ping_targets(told) == {}


def test_the_gateways_node_announces_refused_members_for_all_nodes():
    refused = Refusal(
        Rejection(ObjectRef("Endpoint", "ns", "bad"), "spec", "is bad"), "bad", EndpointEcho("{}")
    )
    greedy = west("10.0.0.0/12")

    def announced(name):
        snapshot = world(name, greedy, local=own())
        membership = replace(snapshot.membership, refusals=(refused,))
        told = Report(membership, plan_node(replace(snapshot, membership=membership), 4))
        return [rejection.ref.name for rejection in told.announced]

    assert announced(GATEWAY) == ["bad", greedy.ref.name]
    assert announced(WORKER) == []
    assert Report().announced == ()


def test_failed_steps_are_named_once_with_their_reasons():
    error = Transient("the xtables lock is held")
    told = report(world(WORKER, WEST, local=own()), failures=[error, error])

    assert route_agent_status("1.0", told, {}).status_failure == "routes: the xtables lock is held"


def test_a_long_list_of_failures_is_cut():
    errors = [Transient(f"cannot add route number {number}") for number in range(1000)]
    told = report(world(WORKER, WEST, local=own()), failures=errors)

    assert len(route_agent_status("1.0", told, {}).status_failure) == LONGEST_FAILURE


def test_a_bad_annotation_shows_on_the_node_itself():
    nodes = (NODES[0], node("east-worker", "10.1.0.2", tcp_clamp_mss="huge"))
    told = report(world(WORKER, local=own(), nodes=nodes))

    assert "'huge' is not an MSS" in route_agent_status("1.0", told, {}).status_failure
    assert told.announced == ()


def test_only_a_worker_pings():
    assert ping_targets(report(world(WORKER, WEST, local=own()))) == {CABLE: WEST.spec.health_check_ip}
    assert ping_targets(report(world(GATEWAY, WEST, local=own()))) == {}
    assert ping_targets(report(world(WORKER, WEST))) == {}
    assert ping_targets(Report()) == {}

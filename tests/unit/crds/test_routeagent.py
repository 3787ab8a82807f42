from __future__ import annotations

from crds.echo import echo_cluster
from crds.endpoint import EndpointEcho
from crds.gateway import ConnectionStatus, Latency
from crds.routeagent import RemoteEndpoint, RouteAgentStatus, parse_route_agent, render_route_agent
from tests.builders import endpoint_spec

STATUS = RouteAgentStatus(
    version="0.1.0",
    status_failure="no default route",
    remote_endpoints=(
        RemoteEndpoint(
            ConnectionStatus.CONNECTED,
            "",
            endpoint_spec("west", "10.2.0.0/16"),
            Latency(0.001, 0.001, 0.001, 0.001, 0.0),
        ),
        RemoteEndpoint(ConnectionStatus.ERROR, "overlaps", EndpointEcho(echo_cluster("south"))),
    ),
)


def test_what_was_rendered_is_parsed_to_the_same():
    parsed = parse_route_agent(render_route_agent("node-1", "here", STATUS))

    assert parsed.status == STATUS
    assert parsed.ref.name == "node-1"


def test_the_object_has_the_shape_that_other_tools_expect():
    rendered = render_route_agent("node-1", "here", STATUS)

    assert rendered["status"]["statusFailure"] == "no default route"
    assert rendered["status"]["remoteEndpoints"][0].keys() == {
        "status",
        "statusMessage",
        "spec",
        "latencyRTT",
    }


def test_any_status_can_be_shown():
    assert parse_route_agent({"metadata": {"name": "n"}}).status == RouteAgentStatus("")

    odd = parse_route_agent({"metadata": {"name": "n"}, "status": {"remoteEndpoints": [{"status": ""}, 7]}})

    assert [remote.status for remote in odd.status.remote_endpoints] == [ConnectionStatus.NONE] * 2

import json
from typing import Any

import pytest

from crds.echo import canonical_json
from crds.endpoint import render_spec
from crds.fit import LONGEST_ENTRY, MOST_BYTES, failure_text, fit
from crds.gateway import Connection, ConnectionStatus, GatewayStatus, HaStatus, render_gateway
from crds.routeagent import RemoteEndpoint, RouteAgentStatus, render_route_agent
from tests.builders import endpoint_spec

WEST = endpoint_spec("west", "10.2.0.0/16", unknown=(("future", '{"kept":true}'),))
BLOATED = endpoint_spec("liar", "10.9.0.0/16", unknown=(("future", canonical_json("x" * 600_000)),))


def entry(spec, message: str = "") -> dict[str, Any]:
    return {"statusMessage": message, "spec": render_spec(spec)}


def test_ordinary_entries_are_kept_as_they_are():
    assert fit([entry(WEST), entry(WEST)], "spec") == ([entry(WEST), entry(WEST)], 0)


def test_a_long_spec_is_shortened_and_its_neighbours_are_not():
    (bloated, west), left_out = fit([entry(BLOATED), entry(WEST)], "spec")

    assert left_out == 0
    assert len(canonical_json(bloated["spec"])) < LONGEST_ENTRY
    assert bloated["spec"]["cluster_id"] == "liar"
    assert west == entry(WEST)


def test_what_finds_no_room_is_counted_and_the_first_stay():
    shown, left_out = fit([entry(WEST), *(entry(WEST, "m" * 10_000) for _ in range(200))], "spec")

    assert shown[0] == entry(WEST)
    assert len(shown) + left_out == 201
    assert len(json.dumps(shown)) < MOST_BYTES * 1.1
    assert left_out > 0


@pytest.mark.parametrize(
    ("failure", "left_out", "told"),
    [
        ("", 0, ""),
        ("no route", 0, "no route"),
        ("", 3, "3 more connections find no room in this status"),
        ("no route", 3, "no route; 3 more connections find no room in this status"),
    ],
)
def test_a_failure_also_tells_what_is_left_out(failure, left_out, told):
    assert failure_text(failure, left_out, "connections") == told


def test_a_gateway_that_refuses_thousands_of_objects_can_still_be_written():
    refused = Connection(ConnectionStatus.ERROR, "refused: " + "x" * 400, WEST)
    connections = (Connection(ConnectionStatus.CONNECTED, "", WEST), *[refused] * 5_000)

    body = render_gateway("one", "here", GatewayStatus("1", HaStatus.ACTIVE, WEST, "", connections), 7)

    assert len(json.dumps(body)) < 1_500_000
    assert body["status"]["connections"][0]["status"] == "connected"
    assert "more connections find no room" in body["status"]["statusFailure"]


def test_a_route_agent_that_refuses_thousands_of_objects_can_still_be_written():
    refused = RemoteEndpoint(ConnectionStatus.ERROR, "refused: " + "x" * 400, WEST)

    body = render_route_agent("one", "here", RouteAgentStatus("1", "", (refused,) * 5_000))

    assert len(json.dumps(body)) < 1_500_000
    assert "more remote Endpoints find no room" in body["status"]["statusFailure"]

from __future__ import annotations

from ipaddress import ip_address

import pytest

from crds.echo import echo_cluster
from crds.endpoint import EndpointEcho
from crds.gateway import (
    Connection,
    ConnectionStatus,
    GatewayStatus,
    HaStatus,
    Latency,
    parse_gateway,
    render_gateway,
)
from crds.meta import Invalid
from tests.builders import endpoint_spec

STATUS = GatewayStatus(
    version="0.1.0",
    ha_status=HaStatus.ACTIVE,
    local_endpoint=endpoint_spec("east", "10.1.0.0/16"),
    status_failure="",
    connections=(
        Connection(
            ConnectionStatus.CONNECTED,
            "",
            endpoint_spec("west", "10.2.0.0/16"),
            using_ip=ip_address("172.16.0.1"),
            using_nat=False,
            latency=Latency(0.001, 0.0005, 0.00075, 0.002, 0.0001),
        ),
        Connection(ConnectionStatus.ERROR, "spec.subnets: is empty", EndpointEcho(echo_cluster("south"))),
    ),
)


def test_what_was_rendered_is_parsed_to_the_same():
    parsed = parse_gateway(render_gateway("node-1", "here", STATUS, 1_700_000_000))

    assert parsed.status == STATUS
    assert parsed.updated == 1_700_000_000
    assert parsed.ref.name == "node-1"


def test_the_object_has_the_shape_that_other_tools_expect():
    rendered = render_gateway("node-1", "here", STATUS, 7)

    assert rendered["metadata"]["annotations"] == {"update-timestamp": "7"}
    assert rendered["status"]["haStatus"] == "active"
    connected, refused = rendered["status"]["connections"]
    assert connected["latencyRTT"] == {
        "last": "1ms",
        "min": "500µs",
        "average": "750µs",
        "max": "2ms",
        "stdDev": "100µs",
    }
    assert connected["usingIP"] == "172.16.0.1"
    assert refused["statusMessage"] == "spec.subnets: is empty"
    assert refused.keys() == {"status", "statusMessage", "endpoint"}


@pytest.mark.parametrize(
    "status",
    [
        None,
        {},
        {"connections": "none", "haStatus": "leading"},
        {"connections": [None, {"status": "odd", "usingIP": "x", "latencyRTT": {"last": "soon"}}]},
    ],
)
@pytest.mark.parametrize("stamp", ["soon", "", "9" * 5_000])
def test_any_status_can_be_shown(status, stamp):
    parsed = parse_gateway(
        {"metadata": {"name": "node-1", "annotations": {"update-timestamp": stamp}}, "status": status}
    )

    assert parsed.status.ha_status is HaStatus.PASSIVE
    assert parsed.updated is None
    assert {connection.status for connection in parsed.status.connections} <= {ConnectionStatus.NONE}
    assert all(isinstance(connection.endpoint, EndpointEcho) for connection in parsed.status.connections)


def test_a_gateway_without_name_is_refused():
    with pytest.raises(Invalid, match="is missing"):
        parse_gateway({"status": {}})

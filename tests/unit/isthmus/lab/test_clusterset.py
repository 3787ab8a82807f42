import json
from ipaddress import ip_address

import crds.gateway
from crds.endpoint import EndpointEcho
from crds.gateway import ConnectionStatus, GatewayStatus, HaStatus, Latency, render_gateway
from isthmus.lab.clusterset import Connection, join_command, parse_connections
from isthmus.lab.lab import Lab
from isthmus.lab.state import LabPaths
from isthmus.lab.topology import ClusterShape, build
from tests.builders import endpoint_spec


def lab_of(*shapes: ClusterShape) -> Lab:
    return Lab(LabPaths("test"), build(shapes))


def test_a_cluster_joins_with_its_own_name_and_pod_network():
    words = join_command(lab_of(ClusterShape("east"), ClusterShape("west")), "west")

    assert words == [
        *("join", "broker-info.subm", "--context", "west", "--clusterid", "west"),
        *("--clustercidr", "10.20.0.0/16"),
    ]


def test_several_gateway_nodes_are_all_named():
    words = join_command(lab_of(ClusterShape("east", gateways=2)), "east")

    assert words[-4:] == ["--gateway-node", "east-gateway-1", "--gateway-node", "east-gateway-2"]


def test_connections_are_read_from_gateway_objects_refused_ones_included():
    west = endpoint_spec("west", "10.2.0.0/16")
    latency = Latency(last=0.002, minimum=0.001, average=0.0015, maximum=0.002, std_dev=0.0)
    address = ip_address("172.31.2.50")
    rows = (
        crds.gateway.Connection(ConnectionStatus.CONNECTED, "", west, address, False, latency),
        crds.gateway.Connection(
            ConnectionStatus.ERROR, "overlaps", EndpointEcho(json.dumps({"cluster_id": "rogue"}))
        ),
    )
    status = GatewayStatus("1", HaStatus.ACTIVE, endpoint_spec("east", "10.1.0.0/16"), "", rows)
    item = render_gateway("east-gateway", "submariner-operator", status, 1)

    assert parse_connections("east", json.dumps({"items": [item]})) == [
        Connection("east", "west", "connected", "", "172.31.2.50", 0.0015),
        Connection("east", "rogue", "error", "overlaps", "", None),
    ]

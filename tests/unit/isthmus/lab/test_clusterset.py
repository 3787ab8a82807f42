import json

from isthmus.lab.clusterset import Connection, join_command, parse_connections
from isthmus.lab.lab import Lab
from isthmus.lab.state import LabPaths
from isthmus.lab.topology import ClusterShape, build


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


def test_connections_are_read_from_what_show_prints():
    connected = {"localGateway": "east-gateway", "status": "connected", "message": "", "rttSeconds": 0.001}
    connected |= {"endpoint": {"cluster_id": "west"}, "usingIP": "172.31.2.50", "usingNAT": False}
    refused = {"status": "error", "message": "overlaps", "endpoint": {"cluster_id": "rogue"}}

    rows = parse_connections(json.dumps({"east": [connected, refused]}))

    assert rows == [
        Connection("east", "west", "connected", "", "172.31.2.50", 0.001),
        Connection("east", "rogue", "error", "overlaps", "", None),
    ]

"""The schemas at a real API server: what other members write is taken, what the parsers refuse is refused."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from crds.cluster import parse_cluster
from crds.echo import echo_endpoint
from crds.endpoint import EndpointEcho, parse_endpoint, render_spec
from crds.gateway import Connection, ConnectionStatus, GatewayStatus, HaStatus, render_gateway
from crds.meta import Invalid
from crds.routeagent import RemoteEndpoint, RouteAgentStatus, render_route_agent
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.auth import connect, from_token
from isthmus.kube.errors import Refused
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, GATEWAYS, NAMESPACES, ROUTE_AGENTS
from tests.apiserver import ApiServer
from tests.builders import cluster_object, endpoint_object, endpoint_spec
from tests.contract.definitions import define_kinds

pytestmark = pytest.mark.lab


@dataclass(frozen=True, slots=True)
class Server:
    """An API server that knows our kinds, and an empty namespace there."""

    api: KubeApi
    namespace: str

    async def add(self, raw: Object) -> Object:
        resource = {"Cluster": CLUSTERS, "Endpoint": ENDPOINTS}[raw["kind"]]
        metadata = {**raw["metadata"], "namespace": self.namespace}
        return await self.api.create(resource, self.namespace, {**raw, "metadata": metadata})


@pytest.fixture
async def server(real_api_server: ApiServer) -> AsyncIterator[Server]:
    access = from_token(real_api_server.server, real_api_server.admin_token, real_api_server.ca_pem)
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    async with connect(access) as api:
        await define_kinds(api)
        await api.create(NAMESPACES, None, {"metadata": {"name": namespace}})
        yield Server(api, namespace)


def assert_named(error: Refused, named: str) -> None:
    """Check that the server names the field and, after ": " in *named*, the reason."""
    field, _, reason = named.partition(": ")
    assert f"{field}: " in error.cause
    assert reason in error.cause


def changed_endpoint(**spec: Any) -> Object:
    raw = endpoint_object("west", "10.2.0.0/16", "10.3.0.0/16", origin="west")
    raw["spec"] |= spec
    return raw


def changed_cluster(**spec: Any) -> Object:
    raw = cluster_object("west", "10.2.0.0/16", pods=("10.3.0.0/16",), origin="west")
    raw["spec"] |= spec
    return raw


UPSTREAM_CLUSTER: Object = {
    "apiVersion": "submariner.io/v1",
    "kind": "Cluster",
    "metadata": {"name": "cluster2", "labels": {"submariner-io/clusterID": "cluster2"}},
    "spec": {
        "cluster_cidr": ["10.131.0.0/16"],
        "cluster_id": "cluster2",
        "color_codes": ["blue"],
        "global_cidr": [],
        "service_cidr": ["100.2.0.0/16"],
    },
}
UPSTREAM_ENDPOINT: Object = {
    "apiVersion": "submariner.io/v1",
    "kind": "Endpoint",
    "metadata": {
        "name": "cluster2-submariner-cable-cluster2-172-18-0-7",
        "labels": {"submariner-io/clusterID": "cluster2"},
    },
    "spec": {
        "backend": "libreswan",
        "backend_config": {
            "natt-discovery-port": "4490",
            "preferred-server": "true",
            "preferred-server-timestamp": "1700000000",
            "public-ip": "ipv4:203.0.113.7",
            "udp-port": "4500",
        },
        "cable_name": "submariner-cable-cluster2-172-18-0-7",
        "cluster_id": "cluster2",
        "healthCheckIP": "10.131.1.0",
        "hostname": "cluster2-worker",
        "nat_enabled": False,
        "private_ip": "172.18.0.7",
        "public_ip": "",
        "subnets": ["100.2.0.0/16", "10.131.0.0/16"],
    },
}
MANY = [f"10.{number // 256}.{number % 256}.0/24" for number in range(257)]


@pytest.mark.parametrize("raw", [UPSTREAM_CLUSTER, UPSTREAM_ENDPOINT], ids=["Cluster", "Endpoint"])
async def test_what_submariner_writes_is_taken_as_it_is(server, raw):
    stored = await server.add(raw)

    assert stored["spec"] == raw["spec"]


async def test_fields_of_newer_members_are_kept(server):
    newer = {"healthCheckIPs": ["10.131.1.0"], "later": {"a": [1, {"b": None}]}}

    stored = await server.add(changed_endpoint(**newer))

    assert stored["spec"]["healthCheckIPs"] == ["10.131.1.0"]
    assert render_spec(parse_endpoint(stored).spec)["later"] == stored["spec"]["later"]


async def test_as_many_subnets_as_the_parser_takes_are_within_the_cost_limit(server):
    await server.add(changed_endpoint(subnets=MANY[:256]))
    await server.add(changed_cluster(cluster_cidr=MANY[:256], service_cidr=MANY[:256]))


@pytest.mark.parametrize(
    "spec",
    [
        {"public_ip": "203.0.113.9", "healthCheckIP": "10.3.0.1", "nat_enabled": True},
        {"healthCheckIP": ""},
        {"private_ip": "fd00::1", "subnets": ["fd00:2::/64", "10.2.0.0/16"]},
        {"backend": "wireguard", "backend_config": {"publicKey": "abc=", "udp-port": "1"}},
        {"cable_name": "x" * 200, "hostname": ""},
        {"subnets": ["10.2.0.0/16", "10.3.0.0/17", "10.3.128.0/17", "8.8.8.8/32"]},
    ],
)
async def test_what_the_parser_takes_is_taken(server, spec):
    parse_endpoint(changed_endpoint(**spec))

    await server.add(changed_endpoint(**spec))


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"cluster_id": "West"}, "spec.cluster_id"),
        ({"cluster_id": "w" * 64}, "spec.cluster_id"),
        ({"cable_name": "x" * 201}, "spec.cable_name"),
        ({"cable_name": "a;reboot"}, "spec.cable_name"),
        ({"cable_name": ""}, "spec.cable_name"),
        ({"hostname": "a\nb"}, "spec.hostname"),
        ({"hostname": None}, "spec.hostname"),
        ({"subnets": []}, "spec.subnets"),
        ({"subnets": None}, "spec.subnets"),
        ({"subnets": MANY}, "spec.subnets: Too many: 257: must have at most 256 items"),
        ({"subnets": ["10.2.0.0/16"] * 10_000}, "spec.subnets: Too many: 10000: must have at most 256 items"),
        ({"subnets": ["10.2.0.0/16", "10.2.1.0/24"]}, "spec.subnets: has networks that overlap"),
        ({"subnets": ["10.2.0.0/16"] * 2}, "spec.subnets: has networks that overlap"),
        ({"subnets": ["10.2.0.0/16", "ten"]}, "spec.subnets[1]: must be a CIDR"),
        ({"subnets": ["10.2.0.0/16", "10.3.0.1/16"]}, "spec.subnets[1]: must be a CIDR without bits behind"),
        ({"subnets": ["10.2.0.0/255.255.0.0"]}, "spec.subnets[0]: must be a CIDR"),
        ({"subnets": ["0.0.0.0/0"]}, "spec.subnets[0]: covers addresses that cannot be routed"),
        ({"subnets": ["::/0"]}, "spec.subnets[0]: covers addresses that cannot be routed"),
        ({"subnets": ["127.1.0.0/16"]}, "spec.subnets[0]: covers addresses that cannot be routed"),
        ({"subnets": ["239.0.0.0/8"]}, "spec.subnets[0]: covers addresses that cannot be routed"),
        ({"subnets": ["169.254.0.0/24"]}, "spec.subnets[0]: covers addresses that cannot be routed"),
        ({"subnets": ["240.0.0.0/8"]}, "spec.subnets[0]: covers addresses that cannot be routed"),
        ({"subnets": ["fe80::/64"]}, "spec.subnets[0]: covers addresses that cannot be routed"),
        ({"subnets": ["::ffff:10.2.0.0/112"]}, "spec.subnets[0]: must be a CIDR"),
        ({"private_ip": "gateway.west"}, "spec.private_ip: must be an IP address"),
        ({"private_ip": ""}, "spec.private_ip: must be an IP address"),
        ({"private_ip": "127.0.0.1"}, "spec.private_ip: must be the unicast address of a node"),
        ({"private_ip": "0.0.0.0"}, "spec.private_ip: must be the unicast address of a node"),
        ({"private_ip": "224.0.0.1"}, "spec.private_ip: must be the unicast address of a node"),
        ({"public_ip": "1.2.3"}, "spec.public_ip: must be empty or an IP address"),
        ({"public_ip": "255.255.255.255"}, "spec.public_ip: must be the unicast address of a node"),
        ({"healthCheckIP": "10.3.0.1/32"}, "spec.healthCheckIP: must be empty or an IP address"),
        ({"nat_enabled": "yes"}, "spec.nat_enabled"),
        ({"backend": "Libre Swan"}, "spec.backend"),
        ({"backend_config": {"udp-port": 4500}}, "spec.backend_config.udp-port"),
        (
            {"backend_config": {"udp-port": "0"}},
            "spec.backend_config: udp-port and natt-discovery-port must be",
        ),
        ({"backend_config": {"udp-port": "65536"}}, "spec.backend_config: udp-port and natt-discovery-port"),
        (
            {"backend_config": {"natt-discovery-port": "x"}},
            "spec.backend_config: udp-port and natt-discovery-port",
        ),
        ({"backend_config": dict.fromkeys(map(str, range(65)), "")}, "spec.backend_config: Too many: 65"),
    ],
)
async def test_what_the_parser_refuses_of_an_endpoint_is_refused_by_name_of_the_field(server, spec, named):
    with pytest.raises(Invalid):
        parse_endpoint(changed_endpoint(**spec))

    with pytest.raises(Refused) as caught:
        await server.add(changed_endpoint(**spec))

    assert_named(caught.value, named)


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"cluster_id": "West"}, "spec.cluster_id"),
        ({"service_cidr": ["10.2.0.1/16"]}, "spec.service_cidr[0]: must be a CIDR without bits behind"),
        ({"cluster_cidr": ["0.0.0.0/0"]}, "spec.cluster_cidr[0]: covers addresses that cannot be routed"),
        ({"global_cidr": ["224.0.0.0/24"]}, "spec.global_cidr[0]: covers addresses that cannot be routed"),
        ({"cluster_cidr": MANY}, "spec.cluster_cidr: Too many: 257"),
    ],
)
async def test_what_the_parser_refuses_of_a_cluster_is_refused_by_name_of_the_field(server, spec, named):
    with pytest.raises(Invalid):
        parse_cluster(changed_cluster(**spec))

    with pytest.raises(Refused) as caught:
        await server.add(changed_cluster(**spec))

    assert_named(caught.value, named)


async def test_a_cluster_object_must_bear_the_name_of_its_id(server):
    with pytest.raises(Refused) as caught:
        await server.add(changed_cluster(cluster_id="south"))

    assert_named(caught.value, "spec.cluster_id: must be equal to metadata.name")


@pytest.mark.parametrize("raw", [changed_endpoint(), changed_cluster()], ids=["Endpoint", "Cluster"])
async def test_an_object_without_spec_is_refused(server, raw):
    del raw["spec"]

    with pytest.raises(Refused, match="spec"):
        await server.add(raw)


async def test_a_status_may_show_an_endpoint_that_was_refused(server):
    refused = EndpointEcho(echo_endpoint({"subnets": ["x"] * 10_000, "cable_name": [], "nat_enabled": "no"}))
    connection = Connection(ConnectionStatus.ERROR, "spec.subnets: has 10000 entries", refused)
    gateway = GatewayStatus(
        "0.1.0", HaStatus.ACTIVE, endpoint_spec("east", "10.1.0.0/16"), connections=(connection,)
    )
    agent = RouteAgentStatus("0.1.0", "", (RemoteEndpoint(ConnectionStatus.ERROR, "refused", refused),))

    stored = await server.api.create(
        GATEWAYS, server.namespace, render_gateway("node-1", server.namespace, gateway, 7)
    )
    await server.api.create(
        ROUTE_AGENTS, server.namespace, render_route_agent("node-1", server.namespace, agent)
    )

    assert stored["status"]["connections"][0]["endpoint"]["subnets"][-1] == "… and 9992 more"

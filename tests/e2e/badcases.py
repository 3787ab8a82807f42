"""Bad objects, each with where it is refused and in which words."""

from __future__ import annotations

from tests.e2e import rogue
from tests.e2e.rogue import Case, bad_cluster, bad_endpoint, cluster, endpoint

MANY = [f"10.30.{number // 250}.{number % 250}/32" for number in range(10_000)]

SCHEMA_CASES = (
    bad_endpoint("malformed CIDR", "spec.subnets[1]", "CIDR", subnets=[rogue.PODS, "10.35.0.0/33"]),
    bad_endpoint("no CIDR at all", "spec.subnets[0]", "CIDR", subnets=["everything"]),
    bad_endpoint("host bits", "spec.subnets[0]", "10.30.0.1/16", subnets=["10.30.0.1/16"]),
    bad_endpoint("default route", "spec.subnets[0]", "0.0.0.0/0", subnets=["0.0.0.0/0"]),
    bad_endpoint("loopback", "spec.subnets[0]", "127.0.0.0/8", subnets=["127.0.0.0/8"]),
    bad_endpoint("multicast", "spec.subnets[0]", "224.1.0.0/16", subnets=["224.1.0.0/16"]),
    bad_endpoint("link-local", "spec.subnets[0]", "169.254.0.0/16", subnets=["169.254.0.0/16"]),
    bad_endpoint("no subnets", "spec.subnets", "", subnets=[]),
    bad_endpoint("the same subnet twice", "spec.subnets", "10.30.0.0", subnets=[rogue.PODS, rogue.PODS]),
    bad_endpoint("ten thousand subnets", "spec.subnets", "256", subnets=MANY),
    bad_endpoint("malformed private IP", "spec.private_ip", "300.1.1.1", private_ip="300.1.1.1"),
    bad_endpoint("loopback private IP", "spec.private_ip", "127.0.0.1", private_ip="127.0.0.1"),
    bad_endpoint("multicast private IP", "spec.private_ip", "224.0.0.9", private_ip="224.0.0.9"),
    bad_endpoint("malformed public IP", "spec.public_ip", "nowhere", public_ip="nowhere"),
    bad_endpoint("port zero", "spec.backend_config", "1", backend_config={"udp-port": "0"}),
    bad_endpoint("port too high", "spec.backend_config", "65535", backend_config={"udp-port": "65536"}),
    bad_endpoint("port in words", "spec.backend_config", "port", backend_config={"udp-port": "ipsec"}),
    bad_endpoint("over-long cable name", "spec.cable_name", "200", cable_name="c" * 201),
    bad_endpoint("strange cable name", "spec.cable_name", "", cable_name="cable\n; reboot #"),
    Case(
        "malformed cluster id",
        "spec.cluster_id",
        "Ro/gue",
        (cluster(), endpoint(cluster_id="Ro/gue")),
        claims="Ro/gue",
    ),
    bad_cluster(
        "Cluster with host bits", "spec.cluster_cidr[0]", "10.30.0.1/16", cluster_cidr=["10.30.0.1/16"]
    ),
    bad_cluster("Cluster of everything", "spec.cluster_cidr[0]", "0.0.0.0/0", cluster_cidr=["0.0.0.0/0"]),
    bad_cluster("Cluster with malformed CIDR", "spec.service_cidr[0]", "CIDR", service_cidr=["10.35.0.0"]),
)
"""What the shape of an object alone gives away."""


def copied(title: str, says: str, *items: rogue.Object, field: str = "spec.subnets[0]") -> Case:
    return Case(title, field, says, items)


JUDGED_CASES = (
    copied(
        "subnets of east",
        "overlaps",
        cluster(cluster_cidr=["10.10.0.0/16"]),
        endpoint(subnets=["10.10.0.0/16"]),
    ),
    copied(
        "a part of a subnet of west",
        "overlaps",
        cluster(cluster_cidr=["10.20.128.0/17"]),
        endpoint(subnets=["10.20.128.0/17"]),
    ),
    copied(
        "subnets around everybody's",
        "overlaps",
        cluster(cluster_cidr=["10.0.0.0/8"]),
        endpoint(subnets=["10.0.0.0/8"]),
    ),
    copied(
        "outside of its Cluster object", "outside the CIDRs", cluster(), endpoint(subnets=["10.40.0.0/16"])
    ),
    copied("unknown backend", "wireguard", cluster(), endpoint(backend="wireguard"), field="spec.backend"),
    copied("no Cluster object", "waiting for the Cluster object", endpoint(), field="spec.cluster_id"),
)
"""What only a comparison with the other objects shows: these are copied, and every node refuses them."""

FALSE_NAMES = (
    Case(
        "an Endpoint of west",
        "spec.cluster_id",
        "rogue",
        (cluster(), endpoint(cluster_id="west")),
        claims="west",
    ),
    Case(
        "a Cluster object of west",
        "spec.cluster_id",
        "rogue",
        (cluster(cluster_id="west"),),
        named="rogue",
        claims="west",
        kind="Cluster",
    ),
    Case(
        "an Endpoint under a stranger's name",
        "metadata.name",
        'must begin with "rogue',
        (cluster(), endpoint("west-submariner-cable-rogue-192-0-2-9")),
        named="west-submariner-cable-rogue-192-0-2-9",
    ),
    Case(
        "a Cluster object under a stranger's name",
        "metadata.name",
        "rogue",
        (cluster("north"),),
        named="north",
        kind="Cluster",
    ),
)
"""What pretends to be somebody else's: refused by the gateways before it is copied."""

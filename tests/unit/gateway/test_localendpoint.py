from __future__ import annotations

from ipaddress import ip_address

import pytest

from crds.endpoint import parse_endpoint, render_endpoint
from crds.meta import Rejection
from gateway.localendpoint import local_cluster, plan_local
from tests.builders import NAMESPACE, endpoint_spec, networks
from tests.unit.gateway.worlds import KERNEL_ESP, LIBIPSEC, host, node, settings


def refusals(*args, **kwargs) -> list[tuple[str, str]]:
    return [(one.field, one.reason) for one in plan_local(*args, **kwargs).rejections]


def test_a_plain_node_becomes_the_endpoint_that_submariner_would_write():
    plan = plan_local(settings(), node(), host(), KERNEL_ESP)

    assert plan.rejections == ()
    assert plan.spec == endpoint_spec(
        "east",
        "10.96.0.0/16",
        "10.244.0.0/16",
        private_ip="172.18.0.2",
        hostname="east-gw",
        health_check_ip="10.244.0.1",
        config={"udp-port": "4500", "preferred-server": "false"},
    )
    assert plan.spec.cable_name == "submariner-cable-east-172-18-0-2"


def test_the_endpoint_survives_its_own_parser():
    spec = plan_local(settings(), node(), host(), LIBIPSEC).spec

    assert parse_endpoint(render_endpoint(spec, NAMESPACE)).spec == spec


def test_a_tunnel_device_is_published_for_the_route_agents():
    spec = plan_local(settings(), node(), host(), LIBIPSEC).spec

    assert spec.config("interface-name") == "ipsec0"


def test_settings_of_the_node_are_honoured():
    annotations = {
        "gateway.submariner.io/udp-port": "4501",
        "gateway.submariner.io/public-ip": "ipv4:192.0.2.7",
        "gateway.submariner.io/preferred-server": "True",
    }

    plan = plan_local(settings(), node(annotations=annotations), host(), KERNEL_ESP)

    assert plan.rejections == ()
    assert plan.spec.udp_port == 4501
    assert plan.spec.public_ip == ip_address("192.0.2.7")
    assert plan.spec.config("preferred-server") == "true"


def test_an_annotation_wins_over_a_label_of_the_same_key():
    key = "gateway.submariner.io/udp-port"

    plan = plan_local(settings(), node({key: "4501"}, {key: "4502"}), host(), KERNEL_ESP)

    assert plan.spec.udp_port == 4502


def test_an_unknown_setting_is_refused_on_the_node_and_stops_nothing():
    annotated = node(annotations={"gateway.submariner.io/udpport": "4501"})

    plan = plan_local(settings(), annotated, host(), KERNEL_ESP)

    assert plan.spec.udp_port == 4500
    (rejection,) = plan.rejections
    assert rejection == Rejection(annotated.ref, "gateway.submariner.io/udpport", rejection.reason)
    assert rejection.reason.startswith("is no setting of a gateway node and has no effect; known are ")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("udp-port", "0", "'0' is not a port; write a number from 1 to 65535"),
        ("udp-port", "x", "'x' is not a port; write a number from 1 to 65535"),
        ("preferred-server", "maybe", "'maybe' is neither true nor false"),
        ("public-ip", "ipv4:one", "'one' is not an IP address; write ipv4:192.0.2.1"),
        (
            "natt-discovery-port",
            "4490",
            "has no effect, as this gateway takes no part in NAT discovery; remove it",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_in_words_and_its_default_taken(key, value, reason):
    annotated = node(annotations={f"gateway.submariner.io/{key}": value})
    plain = plan_local(settings(), node(), host(), KERNEL_ESP).spec

    plan = plan_local(settings(), annotated, host(), KERNEL_ESP)

    assert plan.spec == plain
    assert [(one.field, one.reason) for one in plan.rejections] == [(f"gateway.submariner.io/{key}", reason)]


def test_the_clusters_public_address_serves_where_the_node_has_none():
    told = settings(SUBMARINER_PUBLICIP="api:ip4.seeip.org, ipv4:192.0.2.9")

    assert plan_local(told, node(), host(), KERNEL_ESP).spec.public_ip == ip_address("192.0.2.9")


def test_a_public_address_by_a_lookup_is_refused_since_nothing_looks_it_up():
    told = settings(SUBMARINER_PUBLICIP="api:ip4.seeip.org")

    assert refusals(told, node(), host(), KERNEL_ESP) == [
        (
            "SUBMARINER_PUBLICIP",
            "'api:ip4.seeip.org' names no address; write ipv4: and the public address of this node",
        )
    ]


def test_a_node_without_pod_address_has_no_health_check_and_says_why():
    plan = plan_local(settings(), node(), host(cni_device=None, cni_address=None), KERNEL_ESP)

    assert plan.spec.health_check_ip is None
    assert "no interface of this node has an address of the Pod networks" in plan.rejections[0].reason


def test_health_checks_that_are_off_publish_no_address_and_complain_of_nothing():
    told = settings(SUBMARINER_HEALTHCHECKENABLED="false")

    plan = plan_local(told, node(), host(cni_address=None), KERNEL_ESP)

    assert (plan.spec.health_check_ip, plan.rejections) == (None, ())


def test_the_local_cluster_claims_what_the_endpoint_announces():
    assert local_cluster(settings()).cidrs == networks("10.96.0.0/16", "10.244.0.0/16")

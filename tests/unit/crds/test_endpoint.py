from __future__ import annotations

import json
from ipaddress import ip_address
from typing import Any

import pytest

from crds.endpoint import (
    EndpointEcho,
    cable_name,
    endpoint_name,
    parse_endpoint,
    render_endpoint,
    render_spec,
    sanitised_name,
)
from crds.meta import ClusterId, Invalid
from tests.builders import endpoint_object, endpoint_spec, networks


def changed(**spec: Any) -> dict[str, Any]:
    raw = endpoint_object("west", "10.2.0.0/16", "10.3.0.0/16", origin="west")
    raw["spec"] |= spec
    return raw


def test_what_was_rendered_is_parsed_to_the_same():
    spec = endpoint_spec(
        "west",
        "10.2.0.0/16",
        "10.3.0.0/16",
        public_ip="203.0.113.9",
        health_check_ip="10.3.0.1",
        nat_enabled=True,
        config={"udp-port": "4501", "natt-discovery-port": "4490"},
        unknown=(("publicIPs", '["203.0.113.9"]'),),
    )

    assert parse_endpoint(render_endpoint(spec, "here")).spec == spec


@pytest.mark.parametrize(
    ("fields", "address", "nat"),
    [
        ({}, "192.168.0.2", False),
        ({"public_ip": "203.0.113.9"}, "192.168.0.2", False),
        ({"nat_enabled": True}, "192.168.0.2", False),
        ({"public_ip": "203.0.113.9", "nat_enabled": True}, "203.0.113.9", True),
        ({"public_ip": "203.0.113.9", "config": {"using-loadbalancer": "true"}}, "203.0.113.9", True),
    ],
)
def test_a_gateway_behind_a_nat_is_reached_at_its_public_address_if_it_has_one(fields, address, nat):
    spec = endpoint_spec("west", "10.2.0.0/16", private_ip="192.168.0.2", **fields)

    assert (str(spec.reached_at), spec.behind_nat) == (address, nat)


def test_the_object_has_the_shape_that_other_members_expect():
    spec = endpoint_spec("west", "10.2.0.0/16", private_ip="172.16.5.4", config={"udp-port": "4500"})

    assert render_endpoint(spec, "here") == {
        "apiVersion": "submariner.io/v1",
        "kind": "Endpoint",
        "metadata": {"name": "west-submariner-cable-west-172-16-5-4", "namespace": "here"},
        "spec": {
            "cluster_id": "west",
            "cable_name": "submariner-cable-west-172-16-5-4",
            "hostname": "west-gateway",
            "subnets": ["10.2.0.0/16"],
            "private_ip": "172.16.5.4",
            "public_ip": "",
            "nat_enabled": False,
            "backend": "libreswan",
            "backend_config": {"udp-port": "4500"},
        },
    }


def test_fields_of_newer_members_survive_a_round_trip():
    raw = changed(privateIPs=["172.16.0.9"], later={"b": None, "a": [1]})

    rendered = render_spec(parse_endpoint(raw).spec)

    assert rendered["privateIPs"] == ["172.16.0.9"]
    assert rendered["later"] == {"a": [1], "b": None}


def test_the_order_of_subnets_is_kept():
    assert parse_endpoint(changed(subnets=["10.3.0.0/16", "10.2.0.0/16"])).spec.subnets == networks(
        "10.3.0.0/16", "10.2.0.0/16"
    )


@pytest.mark.parametrize(
    ("spec", "field", "reason"),
    [
        ({"cluster_id": "WEST"}, "spec.cluster_id", "is not a cluster id"),
        ({"cable_name": "x" * 201}, "spec.cable_name", "has 201 characters; at most 200 are allowed"),
        ({"cable_name": "a;reboot"}, "spec.cable_name", "may hold only letters, digits and dashes"),
        ({"cable_name": ""}, "spec.cable_name", "at least one"),
        ({"hostname": None}, "spec.hostname", "is missing"),
        ({"subnets": []}, "spec.subnets", "is empty; an Endpoint must name the networks behind it"),
        ({"subnets": None}, "spec.subnets", "is empty"),
        ({"subnets": ["10.2.0.0/16", "10.2.1.0/24"]}, "spec.subnets", "10.2.1.0/24 overlaps 10.2.0.0/16"),
        ({"subnets": ["10.2.0.0/16"] * 2}, "spec.subnets", "10.2.0.0/16 overlaps 10.2.0.0/16"),
        ({"subnets": ["10.2.0.0/16"] * 10_000}, "spec.subnets", "has 10000 entries; at most 256"),
        ({"subnets": ["10.2.0.0/16", "10.3.0.1/16"]}, "spec.subnets[1]", "the network is 10.3.0.0/16"),
        ({"subnets": ["0.0.0.0/0"]}, "spec.subnets[0]", "covers every address"),
        ({"subnets": ["127.0.0.0/8"]}, "spec.subnets[0]", "covers loopback addresses"),
        ({"subnets": ["224.0.0.0/8"]}, "spec.subnets[0]", "covers multicast addresses"),
        ({"subnets": ["169.254.0.0/16"]}, "spec.subnets[0]", "covers link-local addresses"),
        ({"private_ip": "gateway.west"}, "spec.private_ip", "is not an IP address"),
        ({"private_ip": "127.0.0.1"}, "spec.private_ip", "(loopback)"),
        ({"private_ip": ""}, "spec.private_ip", "is not an IP address"),
        ({"public_ip": "1.2.3"}, "spec.public_ip", "is not an IP address"),
        ({"healthCheckIP": "224.0.0.5"}, "spec.healthCheckIP", "(multicast)"),
        ({"nat_enabled": "yes"}, "spec.nat_enabled", "write true or false"),
        ({"backend": "Libre Swan"}, "spec.backend", "is not the name of a cable driver"),
        ({"backend_config": []}, "spec.backend_config", "is missing or not an object"),
        ({"backend_config": {"udp-port": 4500}}, "spec.backend_config.udp-port", "is the number 4500"),
        ({"backend_config": {"udp-port": "0"}}, "spec.backend_config.udp-port", '"0" is not a port'),
        (
            {"backend_config": {"udp-port": "65536"}},
            "spec.backend_config.udp-port",
            "a number from 1 to 65535",
        ),
        ({"backend_config": {"udp-port": "٤٥"}}, "spec.backend_config.udp-port", "is not a port"),
        (
            {"backend_config": {"natt-discovery-port": "-1"}},
            "spec.backend_config.natt-discovery-port",
            '"-1" is not a port',
        ),
        ({"backend_config": dict.fromkeys(map(str, range(65)), "")}, "spec.backend_config", "has 65 entries"),
        ({"backend_config": {"k" * 64: ""}}, "spec.backend_config", "keys have 63 characters at most"),
    ],
)
def test_a_fault_is_named_by_field_and_reason(spec, field, reason):
    with pytest.raises(Invalid) as caught:
        parse_endpoint(changed(**spec))

    assert caught.value.rejection.field == field
    assert reason in caught.value.rejection.reason
    assert caught.value.rejection.ref.name.startswith("west-submariner-cable-west-")


def test_a_refused_endpoint_can_still_be_shown():
    with pytest.raises(Invalid) as caught:
        parse_endpoint(changed(subnets=["10.2.0.0/16"] * 10_000))

    shown = render_spec(EndpointEcho(caught.value.echo))

    assert shown["cluster_id"] == "west"
    assert shown["subnets"][-1] == "… and 9992 more"


def test_an_endpoint_without_spec_is_refused():
    with pytest.raises(Invalid) as caught:
        parse_endpoint({"metadata": {"name": "west", "namespace": "here"}})

    assert str(caught.value) == "Endpoint here/west: spec: is missing or not an object"
    assert json.loads(caught.value.echo)["cluster_id"] == ""


def test_settings_have_defaults():
    spec = endpoint_spec("west", "10.2.0.0/16", config={"publicKey": "abc"})

    assert spec.config("publicKey") == "abc"
    assert spec.config("none") is None
    assert spec.udp_port == 4500
    assert endpoint_spec("west", config={"udp-port": "4501"}).udp_port == 4501


def test_absent_backend_config_counts_as_empty():
    assert parse_endpoint(changed(backend_config=None)).spec.backend_config == ()


def test_only_an_address_behind_the_tunnel_is_pinged():
    inside = endpoint_spec("west", "10.2.0.0/16", health_check_ip="10.2.0.1")

    assert inside.ping_target == ip_address("10.2.0.1")
    assert endpoint_spec("west", "10.2.0.0/16", health_check_ip="10.9.0.1").ping_target is None
    assert endpoint_spec("west", "10.2.0.0/16").ping_target is None


def test_names_are_derived_as_every_member_derives_them():
    assert cable_name(ClusterId("west"), ip_address("10.1.0.1")) == "submariner-cable-west-10-1-0-1"
    assert (
        endpoint_name(endpoint_spec("west", private_ip="10.1.0.1")) == "west-submariner-cable-west-10-1-0-1"
    )
    assert sanitised_name("-Node_1.Example-") == "node-1.example"
    assert sanitised_name(".Node..é.Example_.") == "node.example"

from __future__ import annotations

from typing import Any

from isthmus.membership.claims import Claims
from isthmus.membership.fault import Fault
from tests.builders import endpoint_spec


def granted(*specs):
    claims = Claims()
    for spec in specs:
        assert claims.fault(spec) is None
        claims.grant(spec)
    return claims


def test_what_is_free_is_granted():
    granted(endpoint_spec("a", "10.1.0.0/16", "10.3.0.0/16"), endpoint_spec("b", "10.2.0.0/16", "fd00::/48"))


def test_a_subnet_inside_a_granted_one_is_taken():
    claims = granted(endpoint_spec("a", "10.1.0.0/16"), endpoint_spec("b", "10.2.0.0/16"))

    assert claims.fault(endpoint_spec("c", "10.9.0.0/16", "10.1.7.0/24")) == Fault(
        "spec.subnets[1]",
        "10.1.7.0/24 overlaps a subnet of cluster a, which joined earlier; one of the two clusters needs "
        "other CIDRs",
    )


def test_a_subnet_around_a_granted_one_is_taken():
    claims = granted(endpoint_spec("a", "10.1.7.0/24"), endpoint_spec("b", "10.200.0.0/16"))

    assert claims.fault(endpoint_spec("c", "10.0.0.0/8")) is not None


def test_a_nested_subnet_hides_nothing_of_the_outer_one():
    claims = granted(endpoint_spec("a", "10.0.0.0/8", "10.1.0.0/16"))

    assert claims.fault(endpoint_spec("b", "10.2.0.0/16")) is not None


def test_a_cable_name_belongs_to_the_first():
    claims = granted(endpoint_spec("a", "10.1.0.0/16", cable_name="cable"))
    claims.claim_gateway(endpoint_spec("b", cable_name="cable"))

    assert claims.fault(endpoint_spec("b", "10.2.0.0/16", cable_name="cable")) == Fault(
        "spec.cable_name", '"cable" is the cable of cluster a; every gateway needs a name of its own'
    )


def test_the_address_of_a_gateway_is_taken():
    claims = granted(endpoint_spec("a", "10.1.0.0/16", private_ip="192.0.2.1"))

    assert claims.fault(endpoint_spec("b", "10.2.0.0/16", private_ip="192.0.2.1")) == Fault(
        "spec.private_ip", "192.0.2.1 is the gateway of cluster a; every gateway needs its own address"
    )


def test_gateways_behind_different_nats_may_have_the_same_private_address():
    private: dict[str, Any] = {"private_ip": "192.168.0.2", "nat_enabled": True}

    granted(
        endpoint_spec("a", "10.1.0.0/16", public_ip="203.0.113.1", **private),
        endpoint_spec("b", "10.2.0.0/16", public_ip="203.0.113.2", **private),
    )


def test_gateways_behind_one_nat_are_told_apart_by_their_private_addresses():
    public: dict[str, Any] = {"public_ip": "203.0.113.1", "nat_enabled": True}

    granted(
        endpoint_spec("a", "10.1.0.0/16", private_ip="192.168.0.2", **public),
        endpoint_spec("b", "10.2.0.0/16", private_ip="192.168.0.3", **public),
    )

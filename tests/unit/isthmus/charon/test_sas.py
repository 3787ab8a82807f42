from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

from isthmus.charon.records import ChildSa, IkeSa
from isthmus.charon.sas import parse_ike_sas

CHILD: dict[str, Any] = {
    "name": b"isthmus-d1",
    "uniqueid": b"2",
    "reqid": b"1",
    "state": b"INSTALLED",
    "mode": b"TUNNEL",
    "protocol": b"ESP",
    "encap": b"yes",
    "spi-in": b"b79adfef",
    "spi-out": b"788382b6",
    "encr-alg": b"AES_GCM_16",
    "encr-keysize": b"256",
    "dh-group": b"CURVE_25519",
    "bytes-in": b"84",
    "packets-in": b"1",
    "bytes-out": b"168",
    "packets-out": b"2",
    "rekey-time": b"3299",
    "life-time": b"3959",
    "install-time": b"7",
    "local-ts": [b"10.1.0.0/16", b"10.11.0.0/16"],
    "remote-ts": [b"10.2.0.0/16"],
}
IKE: dict[str, Any] = {
    "uniqueid": b"3",
    "version": b"2",
    "state": b"ESTABLISHED",
    "local-host": b"192.0.2.1",
    "remote-host": b"192.0.2.2",
    "remote-port": b"4500",
    "initiator": b"yes",
    "initiator-spi": b"73ad6cd8f97f2218",
    "responder-spi": b"8997e164247ee8c1",
    "nat-any": b"yes",
    "encr-alg": b"AES_GCM_16",
    "encr-keysize": b"256",
    "prf-alg": b"PRF_HMAC_SHA2_512",
    "dh-group": b"CURVE_25519",
    "established": b"8",
    "child-sas": {"isthmus-d1-2": CHILD},
}


def parse(**changes: Any) -> IkeSa:
    (sa,) = parse_ike_sas({"isthmus-west": {**IKE, **changes}})
    return sa


def test_an_established_tunnel_is_read_whole():
    assert parse() == IkeSa(
        name="isthmus-west",
        unique_id=3,
        state="ESTABLISHED",
        local_address=IPv4Address("192.0.2.1"),
        remote_address=IPv4Address("192.0.2.2"),
        remote_port=4500,
        initiator=True,
        initiator_spi="73ad6cd8f97f2218",
        responder_spi="8997e164247ee8c1",
        algorithm="AES_GCM_16_256/PRF_HMAC_SHA2_512/CURVE_25519",
        behind_nat=True,
        established_seconds=8,
        busy=False,
        children=(
            ChildSa(
                name="isthmus-d1",
                unique_id=2,
                state="INSTALLED",
                spi_in="b79adfef",
                spi_out="788382b6",
                algorithm="AES_GCM_16_256/CURVE_25519",
                encapsulated=True,
                bytes_in=84,
                bytes_out=168,
                packets_in=1,
                packets_out=2,
                installed_seconds=7,
                rekey_seconds=3299,
                local_subnets=(IPv4Network("10.1.0.0/16"), IPv4Network("10.11.0.0/16")),
                remote_subnets=(IPv4Network("10.2.0.0/16"),),
            ),
        ),
    )


def test_a_negotiation_under_way_lacks_most_of_it():
    (sa,) = parse_ike_sas(
        {
            "(unnamed)": {
                "uniqueid": b"1",
                "state": b"CONNECTING",
                "local-host": b"192.0.2.1",
                "remote-host": b"%any",
                "tasks-passive": [b"IKE_AUTH"],
                "child-sas": {},
            }
        }
    )

    assert (sa.busy, sa.initiator, sa.remote_address, sa.established_seconds) == (True, False, None, None)


def test_a_range_of_addresses_is_read_as_the_subnets_in_it():
    ranged = {**CHILD, "local-ts": [b"10.1.0.0..10.1.1.255"]}

    (child,) = parse(**{"child-sas": {"x": ranged}}).children
    assert child.local_subnets == (IPv4Network("10.1.0.0/23"),)


def test_a_selector_for_one_protocol_carries_no_subnet():
    limited = {**CHILD, "local-ts": [b"10.1.0.0/16[tcp/http]", b"dynamic", b"10.2.0.0..::1"]}

    (child,) = parse(**{"child-sas": {"x": limited}}).children
    assert child.local_subnets == ()


def test_a_child_without_its_own_name_field_goes_by_its_key():
    older = {key: value for key, value in CHILD.items() if key not in ("name", "rekey-time")}

    (child,) = parse(**{"child-sas": {"isthmus-d1": older}}).children
    assert (child.name, child.rekey_seconds) == ("isthmus-d1", None)


def test_what_is_not_a_section_is_not_an_sa():
    assert list(parse_ike_sas({"up": b"yes"})) == []

from __future__ import annotations

import ipaddress
import struct

import pytest

from isthmus.lab.pcap import Frame, Packet
from isthmus.lab.wirecount import Kind, Wire, classify, count_frames

WIRE = Wire(inner=(ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("10.96.0.0/16")))
SITE_A, SITE_B, POD = "192.0.2.1", "198.51.100.1", "10.1.0.5"


def packet(
    source: str = SITE_A,
    destination: str = SITE_B,
    protocol: int = 17,
    ports: tuple[int, int] = (4500, 4500),
    payload: bytes = b"\x01\x02\x03\x04" + bytes(40),
    later_fragment: bool = False,
) -> Packet:
    return Packet(
        ipaddress.ip_address(source).packed,
        ipaddress.ip_address(destination).packed,
        protocol,
        *ports,
        payload,
        later_fragment,
    )


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (packet(ports=(500, 500)), Kind.IKE),
        (packet(payload=bytes(4) + b"ike"), Kind.IKE),
        (packet(payload=b"\xff"), Kind.IKE),
        (packet(), Kind.ESP_IN_UDP),
        (packet(protocol=50, ports=(0, 0)), Kind.ESP),
        (packet(protocol=6, ports=(40000, 6443)), Kind.TLS),
        (packet(protocol=6, ports=(6443, 40000)), Kind.TLS),
        (packet(protocol=6, ports=(40000, 80)), Kind.OTHER),
        (packet(protocol=1, ports=(0, 0)), Kind.NEIGHBOUR),
        (packet(ports=(40000, 53)), Kind.OTHER),
        (packet(ports=(4800, 4800)), Kind.OTHER),
    ],
)
def test_each_packet_between_sites_is_named(seen: Packet, kind: Kind):
    assert classify(seen, WIRE) is kind


@pytest.mark.parametrize(
    "seen", [packet(source=POD), packet(destination=POD), packet(destination="10.96.0.1")]
)
def test_an_inner_address_is_clear_text_whatever_the_ports(seen: Packet):
    assert classify(seen, WIRE) is Kind.CLEAR


def test_another_tunnel_port_can_be_named():
    wire = Wire(inner=WIRE.inner, tunnel_ports=frozenset({4501}))

    assert classify(packet(ports=(4501, 4501)), wire) is Kind.ESP_IN_UDP
    assert classify(packet(), wire) is Kind.OTHER


def test_counts_name_the_packets_that_should_not_be_there():
    def frame(source: str) -> Frame:
        return Frame(
            0x0800,
            struct.pack("!BBHHHBBH", 0x45, 0, 40, 1, 0, 64, 6, 0)
            + ipaddress.ip_address(source).packed
            + ipaddress.ip_address(SITE_B).packed
            + struct.pack("!HH", 1234, 6443)
            + bytes(16),
        )

    counts = count_frames([frame(SITE_A), frame(SITE_A), frame(POD), Frame(0x0806, bytes(28))], WIRE)

    assert counts.packets[Kind.TLS] == 2
    assert counts.packets[Kind.NEIGHBOUR] == 1
    assert counts.clear == 1
    assert counts.unexpected == 1
    assert counts.sizes[Kind.TLS] == 80
    assert counts.examples == (f"{Kind.CLEAR}: {POD}:1234 > {SITE_B}:6443 protocol 6, 40 bytes",)


def test_a_frame_that_is_no_ip_is_reported_by_its_type():
    counts = count_frames([Frame(0x88CC, bytes(10))], WIRE)

    assert counts.unexpected == 1
    assert "0x88cc" in counts.examples[0]

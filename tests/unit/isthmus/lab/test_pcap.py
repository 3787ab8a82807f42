from __future__ import annotations

import struct

import pytest

from isthmus.lab.pcap import (
    ETHERNET,
    LINUX_COOKED,
    LINUX_COOKED_2,
    RAW_IP,
    BadCapture,
    is_arp,
    parse_packet,
    read_frames,
)


def capture(link_type: int, *frames: bytes, order: str = "<") -> bytes:
    magic = b"\xd4\xc3\xb2\xa1" if order == "<" else b"\xa1\xb2\xc3\xd4"
    header = magic + struct.pack(f"{order}HHiIII", 2, 4, 0, 0, 65535, link_type)
    return header + b"".join(
        struct.pack(f"{order}IIII", 0, 0, len(frame), len(frame)) + frame for frame in frames
    )


def ipv4(protocol: int, payload: bytes, fragment: int = 0) -> bytes:
    return (
        struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, fragment, 64, protocol, 0)
        + bytes([192, 0, 2, 1])
        + bytes([192, 0, 2, 2])
        + payload
    )


UDP = struct.pack("!HHHH", 500, 4500, 12, 0) + b"data"
PACKET = ipv4(17, UDP)
IPV4 = b"\x08\x00"


@pytest.mark.parametrize(
    ("link_type", "frame"),
    [
        (ETHERNET, bytes(12) + IPV4 + PACKET),
        (ETHERNET, bytes(12) + b"\x81\x00\x00\x05" + IPV4 + PACKET),
        (RAW_IP, PACKET),
        (LINUX_COOKED, bytes(14) + IPV4 + PACKET),
        (LINUX_COOKED_2, IPV4 + bytes(18) + PACKET),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_link_type_gives_the_same_packet(link_type: int, frame: bytes, order: str):
    (found,) = read_frames(capture(link_type, frame, order=order))

    packet = parse_packet(found)
    assert packet is not None
    assert (packet.protocol, packet.source_port, packet.destination_port) == (17, 500, 4500)
    assert packet.payload == b"data"
    assert packet.source == bytes([192, 0, 2, 1])


def test_a_capture_cut_off_in_a_packet_gives_the_packets_before_it():
    data = capture(RAW_IP, PACKET, PACKET)

    assert len(list(read_frames(data[:-3]))) == 1


def test_what_is_no_capture_is_refused():
    with pytest.raises(BadCapture, match="not a pcap file"):
        list(read_frames(b"hello"))


def test_an_unknown_link_type_is_refused_by_number():
    with pytest.raises(BadCapture, match="link type 127"):
        list(read_frames(capture(127, PACKET)))


def test_arp_is_no_ip_packet():
    (frame,) = read_frames(capture(ETHERNET, bytes(12) + b"\x08\x06" + bytes(28)))

    assert is_arp(frame)
    assert parse_packet(frame) is None


def test_a_later_fragment_has_no_ports():
    (frame,) = read_frames(capture(RAW_IP, ipv4(17, UDP, fragment=100)))

    packet = parse_packet(frame)
    assert packet is not None
    assert packet.later_fragment
    assert packet.source_port == 0


def test_an_ipv6_packet_is_read():
    header = struct.pack("!IHBB", 0x60000000, len(UDP), 17, 64) + bytes(15) + b"\x01" + bytes(15) + b"\x02"
    (frame,) = read_frames(capture(ETHERNET, bytes(12) + b"\x86\xdd" + header + UDP))

    packet = parse_packet(frame)
    assert packet is not None
    assert packet.destination_port == 4500
    assert len(packet.source) == 16


def test_the_protocol_of_a_multicast_listener_report_is_behind_its_options():
    report = b"\x3a\x00\x05\x02\x00\x00\x01\x00" + b"\x8f" + bytes(27)
    header = (
        struct.pack("!IHBB", 0x60000000, len(report), 0, 1) + bytes(16) + b"\xff\x02" + bytes(13) + b"\x16"
    )
    (frame,) = read_frames(capture(ETHERNET, bytes(12) + b"\x86\xdd" + header + report))

    packet = parse_packet(frame)
    assert packet is not None
    assert (packet.protocol, packet.payload[:1]) == (58, b"\x8f")

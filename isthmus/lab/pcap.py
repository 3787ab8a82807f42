"""Reads the capture files that tcpdump writes: link headers off, IP packets out. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

ETHERNET = 1
RAW_IP = 101
LINUX_COOKED = 113
LINUX_COOKED_2 = 276

_ARP = 0x0806
_IPV4 = 0x0800
_IPV6 = 0x86DD
_VLAN = 0x8100
_HOP_BY_HOP = 0
"""Next header of an IPv6 packet with options for each router (RFC 8200, 4.3)."""
_FILE_HEADER = 24
_PACKET_HEADER = 16
_MAGICS = {
    b"\xd4\xc3\xb2\xa1": "<",
    b"\xa1\xb2\xc3\xd4": ">",
    b"\x4d\x3c\xb2\xa1": "<",
    b"\xa1\xb2\x3c\x4d": ">",
}


class BadCapture(ValueError):
    """The bytes are not a capture file that this module reads."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What one frame carried: its ether type and the bytes behind the link header, perhaps cut off."""

    ether_type: int
    payload: bytes


def read_frames(data: bytes) -> Iterator[Frame]:
    """Yield the frames of a capture in order; a last frame cut off by a killed tcpdump is left out.

    Raises:
        BadCapture: not a pcap file, or a link type that tcpdump does not write for the lab's devices.
    """
    order = _MAGICS.get(data[:4])
    if order is None or len(data) < _FILE_HEADER:
        raise BadCapture("not a pcap file")
    link_type = struct.unpack_from(f"{order}I", data, 20)[0] & 0xFFFF
    if link_type not in (ETHERNET, RAW_IP, LINUX_COOKED, LINUX_COOKED_2):
        raise BadCapture(f"link type {link_type} is not known here")
    position = _FILE_HEADER
    while position + _PACKET_HEADER <= len(data):
        length = struct.unpack_from(f"{order}I", data, position + 8)[0]
        start = position + _PACKET_HEADER
        position = start + length
        if position > len(data):
            return
        frame = _unwrap(link_type, data[start:position])
        if frame is not None:
            yield frame


def _unwrap(link_type: int, frame: bytes) -> Frame | None:
    if link_type == RAW_IP:
        return _raw(frame)
    # Where the protocol field stands and where the payload begins, by link type.
    offset, header = {ETHERNET: (12, 14), LINUX_COOKED: (14, 16), LINUX_COOKED_2: (0, 20)}[link_type]
    if len(frame) < header:
        return None
    ether_type = struct.unpack_from("!H", frame, offset)[0]
    if ether_type == _VLAN and link_type == ETHERNET and len(frame) >= header + 4:
        ether_type, header = struct.unpack_from("!H", frame, 16)[0], header + 4
    return Frame(ether_type, frame[header:])


def _raw(packet: bytes) -> Frame | None:
    if not packet:
        return None
    return Frame(_IPV6 if packet[0] >> 4 == 6 else _IPV4, packet)


@dataclass(frozen=True, slots=True)
class Packet:
    """The header fields of one IP packet; ports are 0 where there are none or a fragment hides them."""

    source: bytes
    destination: bytes
    protocol: int
    source_port: int
    destination_port: int
    payload: bytes
    later_fragment: bool = False


def is_arp(frame: Frame) -> bool:
    """Tell whether the frame is address resolution."""
    return frame.ether_type == _ARP


def parse_packet(frame: Frame) -> Packet | None:
    """Read the IP and, for TCP and UDP, the port fields; None when it is no IP packet or is cut off."""
    if frame.ether_type == _IPV4:
        return _ipv4(frame.payload)
    if frame.ether_type == _IPV6:
        return _ipv6(frame.payload)
    return None


def _ipv4(data: bytes) -> Packet | None:
    if len(data) < 20 or data[0] >> 4 != 4:
        return None
    header = (data[0] & 0x0F) * 4
    offset = struct.unpack_from("!H", data, 6)[0] & 0x1FFF
    return _with_ports(data[12:16], data[16:20], data[9], data[header:], later_fragment=offset > 0)


def _ipv6(data: bytes) -> Packet | None:
    if len(data) < 40 or data[0] >> 4 != 6:
        return None
    protocol, rest = data[6], data[40:]
    # Multicast listener reports, which every device sends once it is up, begin with one (RFC 3810, 5).
    if protocol == _HOP_BY_HOP and len(rest) >= 8:
        protocol, rest = rest[0], rest[(rest[1] + 1) * 8 :]
    return _with_ports(data[8:24], data[24:40], protocol, rest, later_fragment=False)


def _with_ports(
    source: bytes, destination: bytes, protocol: int, rest: bytes, *, later_fragment: bool
) -> Packet:
    if protocol not in (6, 17) or later_fragment or len(rest) < 8:
        return Packet(source, destination, protocol, 0, 0, rest, later_fragment)
    source_port, destination_port = struct.unpack_from("!HH", rest)
    payload = rest[8:] if protocol == 17 else rest
    return Packet(source, destination, protocol, source_port, destination_port, payload)

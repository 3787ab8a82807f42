"""What crossed the wire between two sites? Counts a capture's packets by kind. Pure.

A packet with an address of a Pod or Service in its outer header is CLEAR whatever else it is: it left a site
outside the tunnel.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from crds.meta import IPAddress, IPNetwork
from isthmus.lab.pcap import Frame, Packet, is_arp, parse_packet, read_frames

_ICMP, _TCP, _UDP, _ESP, _ICMP6 = 1, 6, 17, 50, 58
_IKE_PORT = 500
_KEEPALIVE = b"\xff"
_NON_ESP_MARKER = bytes(4)
_EXAMPLES = 5


class Kind(StrEnum):
    """What a packet between sites can be."""

    IKE = "IKE (UDP 500/4500)"
    ESP_IN_UDP = "ESP in UDP 4500"
    ESP = "ESP"
    TLS = "TLS to an API server"
    NEIGHBOUR = "ARP and ICMP of the sites"
    CLEAR = "CLEAR TEXT of Pods or Services"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Wire:
    """What counts as what on this lab's wire."""

    inner: tuple[IPNetwork, ...]
    tunnel_ports: frozenset[int] = frozenset({4500})
    api_ports: frozenset[int] = frozenset({6443})


@dataclass(frozen=True, slots=True)
class WireCounts:
    """Packets and bytes by kind; *examples* describe the first packets that should not be there."""

    packets: dict[Kind, int]
    sizes: dict[Kind, int]
    examples: tuple[str, ...]

    @property
    def clear(self) -> int:
        return self.packets[Kind.CLEAR]

    @property
    def unexpected(self) -> int:
        return self.packets[Kind.CLEAR] + self.packets[Kind.OTHER]


def count_capture(data: bytes, wire: Wire) -> WireCounts:
    """Count the packets of one capture file.

    Raises:
        BadCapture: the bytes are no capture file.
    """
    return count_frames(read_frames(data), wire)


def count_frames(frames: Iterable[Frame], wire: Wire) -> WireCounts:
    """Count frames by kind."""
    packets: Counter[Kind] = Counter()
    sizes: Counter[Kind] = Counter()
    examples: list[str] = []
    for frame in frames:
        kind, packet = _classify_frame(frame, wire)
        packets[kind] += 1
        sizes[kind] += len(frame.payload)
        if kind in (Kind.CLEAR, Kind.OTHER) and len(examples) < _EXAMPLES:
            examples.append(f"{kind}: {_describe(frame, packet)}")
    return WireCounts(
        {kind: packets[kind] for kind in Kind}, {kind: sizes[kind] for kind in Kind}, tuple(examples)
    )


def _classify_frame(frame: Frame, wire: Wire) -> tuple[Kind, Packet | None]:
    if is_arp(frame):
        return Kind.NEIGHBOUR, None
    packet = parse_packet(frame)
    return (Kind.OTHER, None) if packet is None else (classify(packet, wire), packet)


def classify(packet: Packet, wire: Wire) -> Kind:
    """Name what one packet is."""
    ends = (ipaddress.ip_address(packet.source), ipaddress.ip_address(packet.destination))
    if any(_inside(end, wire.inner) for end in ends):
        return Kind.CLEAR
    ports = {packet.source_port, packet.destination_port}
    match packet.protocol:
        case p if p == _ESP:
            return Kind.ESP
        case p if p in (_ICMP, _ICMP6):
            return Kind.NEIGHBOUR
        case p if p == _TCP and ports & wire.api_ports:
            return Kind.TLS
        case p if p == _UDP:
            return _classify_udp(packet, ports, wire)
    return Kind.OTHER


def _classify_udp(packet: Packet, ports: set[int], wire: Wire) -> Kind:
    if _IKE_PORT in ports:
        return Kind.IKE
    if packet.later_fragment:
        # A fragment has no ports. Only large IKE messages are fragmented here: ESP packets fit the path.
        return Kind.IKE
    if not ports & wire.tunnel_ports:
        return Kind.OTHER
    # RFC 3948: four zero bytes mark IKE on the ESP port; a lone 0xFF keeps a NAT's mapping alive.
    if packet.payload[:4] == _NON_ESP_MARKER or packet.payload.rstrip(b"\0") == _KEEPALIVE:
        return Kind.IKE
    return Kind.ESP_IN_UDP


def _inside(address: IPAddress, networks: Sequence[IPNetwork]) -> bool:
    return any(address in network for network in networks)


def _describe(frame: Frame, packet: Packet | None) -> str:
    if packet is None:
        return f"ether type {frame.ether_type:#06x}, {len(frame.payload)} bytes"
    source, destination = ipaddress.ip_address(packet.source), ipaddress.ip_address(packet.destination)
    return (
        f"{source}:{packet.source_port} > {destination}:{packet.destination_port} "
        f"protocol {packet.protocol}, {len(frame.payload)} bytes"
    )

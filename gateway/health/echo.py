"""ICMP echo as bytes: builds requests and recognises the replies to them, for both families. Pure.

RFC 792 and RFC 4443. A random token in the payload tells our replies from those of other programs that
happened to choose the same identifier.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from crds.meta import Family

HEADER = struct.Struct("!BBHHH")
REQUEST: dict[Family, int] = {4: 8, 6: 128}
REPLY: dict[Family, int] = {4: 0, 6: 129}
SHORTEST_IPV4_HEADER = 20


@dataclass(frozen=True, slots=True)
class Tag:
    """What marks an echo as ours: a 16-bit identifier and a token that the peer sends back."""

    identifier: int
    token: bytes


def encode_request(family: Family, tag: Tag, sequence: int) -> bytes:
    """One echo request; the checksum is left to the kernel for IPv6 (RFC 3542, section 3.1)."""
    kind = REQUEST[family]
    bare = HEADER.pack(kind, 0, 0, tag.identifier, sequence) + tag.token
    if family == 6:
        return bare
    return HEADER.pack(kind, 0, checksum(bare), tag.identifier, sequence) + tag.token


def decode_reply(family: Family, tag: Tag, packet: bytes) -> int | None:
    """The sequence number of a reply to one of ours, None for anything else.

    A raw IPv4 socket hands over the IP header too, a raw IPv6 socket does not.
    """
    if family == 4:
        if len(packet) < SHORTEST_IPV4_HEADER:
            return None
        packet = packet[(packet[0] & 0x0F) * 4 :]
    if len(packet) < HEADER.size:
        return None
    kind, code, _, identifier, sequence = HEADER.unpack_from(packet)
    ours = identifier == tag.identifier and packet[HEADER.size :] == tag.token
    return int(sequence) if ours and kind == REPLY[family] and code == 0 else None


def checksum(message: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = message + b"\0" * (len(message) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total

"""The raw ICMP socket: sends echoes to peers and hands over what comes back.

One socket serves all peers, however many there are; the kernel filters everything but echo replies.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

from crds.meta import Family, IPAddress
from gateway.health.echo import REPLY, Tag, decode_reply, encode_request
from isthmus.reconcile.errors import Transient

SOL_RAW = 255
ICMP_FILTER = 1
ICMPV6_FILTER = 1
IP_PKTINFO = 8
LARGEST_PACKET = 2048


class EchoRefused(Transient):
    """An echo could not be sent; says why in plain words."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An echo of ours that came back."""

    address: IPAddress
    sequence: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where our echoes leave from; None leaves the choice to the routing tables.

    With a tunnel device named, no echo can leave through any other, whatever the routes say.
    """

    source: IPAddress | None = None
    device: str | None = None


class Echoes(Protocol):
    """The boundary of the pinger."""

    def send(self, address: IPAddress, sequence: int, origin: Origin) -> None:
        """Send one echo, or raise EchoRefused."""

    async def receive(self) -> Reply:
        """The next reply, or raise EchoRefused when the host allows no raw socket."""


class RawEchoes:
    """Echoes over a raw socket, which is opened on first use; needs root or CAP_NET_RAW."""

    def __init__(self, family: Family, tag: Tag) -> None:
        self._family: Family = family
        self._tag = tag
        self._socket: socket.socket | None = None

    def send(self, address: IPAddress, sequence: int, origin: Origin) -> None:
        """Send one echo; its origin goes along as ancillary data, so no bind ties the socket to one."""
        request = encode_request(self._family, self._tag, sequence)
        try:
            control = _packet_info(self._family, origin)
            self._open().sendmsg([request], [control], 0, (str(address), 0))
        except OSError as error:
            raise EchoRefused(f"{error.strerror or error}") from error

    async def receive(self) -> Reply:
        """Wait for the next reply to one of our echoes."""
        loop = asyncio.get_running_loop()
        while True:
            opened = self._open()
            try:
                packet, sender = await loop.sock_recvfrom(opened, LARGEST_PACKET)
            except OSError as error:
                raise EchoRefused(f"the raw ICMP socket failed: {error.strerror or error}") from error
            sequence = decode_reply(self._family, self._tag, packet)
            if sequence is not None:
                return Reply(ip_address(sender[0]), sequence)

    def close(self) -> None:
        """Give the socket back."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def _open(self) -> socket.socket:
        if self._socket is None:
            try:
                self._socket = _raw_socket(self._family)
            except PermissionError as error:
                raise EchoRefused(
                    "a raw ICMP socket needs root or CAP_NET_RAW: give the gateway that capability, "
                    "or set SUBMARINER_HEALTHCHECKENABLED=false"
                ) from error
            except OSError as error:
                raise EchoRefused(f"no raw ICMP socket: {error.strerror or error}") from error
        return self._socket


def _raw_socket(family: Family) -> socket.socket:
    if family == 4:
        opened = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        opened.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", ~(1 << REPLY[4]) & 0xFFFFFFFF))
    else:
        opened = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        words = [0xFFFFFFFF] * 8
        words[REPLY[6] >> 5] &= ~(1 << (REPLY[6] & 31)) & 0xFFFFFFFF
        opened.setsockopt(socket.IPPROTO_ICMPV6, ICMPV6_FILTER, struct.pack("=8I", *words))
    opened.setblocking(False)
    return opened


def _packet_info(family: Family, origin: Origin) -> tuple[int, int, bytes]:
    """Source address and device as ip(7) and ipv6(7) want them: IP_PKTINFO and IPV6_PKTINFO; 0 is any."""
    index = socket.if_nametoindex(origin.device) if origin.device else 0
    source = origin.source.packed if origin.source else bytes(4 if family == 4 else 16)
    if family == 4:
        return socket.IPPROTO_IP, IP_PKTINFO, struct.pack("=i4s4s", index, source, bytes(4))
    return socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, struct.pack("=16si", source, index)

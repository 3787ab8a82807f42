"""Echoes through real raw sockets, between two private namespaces joined by a veth pair."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address

import pytest

from crds.meta import Family
from gateway.health.echo import Tag
from gateway.health.icmp import EchoRefused, Origin, RawEchoes
from tests import netns

pytestmark = pytest.mark.root

PEER = {4: ip_address("192.0.2.2"), 6: ip_address("2001:db8::2")}
OURS = {4: ip_address("198.51.100.1"), 6: ip_address("2001:db8:1::1")}


@pytest.fixture
def neighbour() -> Iterator[str]:
    """A namespace behind device `veth0` of the thread's own, which has a second address on its loopback."""
    with netns.private_namespace():
        peer = f"{netns.PREFIX}{secrets.token_hex(4)}"
        netns.create(peer)
        try:
            netns.run("ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth1", "netns", peer)
            for family, prefix, host in ((4, 30, "192.0.2.1"), (6, 64, "2001:db8::1")):
                flags = ("nodad",) if family == 6 else ()
                netns.run("ip", "addr", "add", f"{host}/{prefix}", "dev", "veth0", *flags)
                netns.run("ip", "-n", peer, "addr", "add", f"{PEER[family]}/{prefix}", "dev", "veth1", *flags)
                netns.run("ip", "addr", "add", f"{OURS[family]}/{32 if family == 4 else 128}", "dev", "lo")
            netns.run("ip", "link", "set", "veth0", "up")
            netns.run("ip", "-n", peer, "link", "set", "veth1", "up")
            netns.run("ip", "-n", peer, "route", "add", str(OURS[4]), "via", "192.0.2.1")
            netns.run("ip", "-n", peer, "-6", "route", "add", str(OURS[6]), "via", "2001:db8::1")
            yield peer
        finally:
            netns.remove(peer)


@pytest.fixture(params=[4, 6])
def family(request: pytest.FixtureRequest) -> Family:
    return 4 if request.param == 4 else 6


@pytest.fixture
def echoes(neighbour: str, family: Family) -> Iterator[RawEchoes]:
    opened = RawEchoes(family, Tag(secrets.randbelow(1 << 16), secrets.token_bytes(16)))
    yield opened
    opened.close()


async def reply_to(echoes: RawEchoes, family: Family, sequence: int, origin: Origin) -> tuple[object, int]:
    echoes.send(PEER[family], sequence, origin)
    async with asyncio.timeout(5):
        reply = await echoes.receive()
    return reply.address, reply.sequence


async def test_an_echo_comes_back_with_its_sequence(echoes, family):
    assert await reply_to(echoes, family, 7, Origin()) == (PEER[family], 7)


async def test_an_echo_leaves_from_the_given_source_and_device(echoes, family):
    origin = Origin(OURS[family], "veth0")

    assert await reply_to(echoes, family, 8, origin) == (PEER[family], 8)


async def test_an_echo_bound_to_a_device_does_not_take_another_way(echoes, family):
    with suppress(EchoRefused):  # IPv6 says at once that there is no such way
        echoes.send(PEER[family], 1, Origin(device="lo"))

    assert await reply_to(echoes, family, 2, Origin()) == (PEER[family], 2)


async def test_a_missing_device_is_refused_in_words(echoes, family):
    with pytest.raises(EchoRefused, match="no interface with this name"):
        echoes.send(PEER[family], 1, Origin(device="ipsec0"))


async def test_an_address_without_route_is_refused_in_words(echoes, family):
    nowhere = ip_address("203.0.113.1" if family == 4 else "2001:db8:ffff::1")

    with pytest.raises(EchoRefused, match="Network is unreachable"):
        echoes.send(nowhere, 1, Origin())


async def test_other_programs_echoes_are_not_taken_for_ours(echoes, family):
    foreign = RawEchoes(family, Tag(1, b"another program."))
    foreign.send(PEER[family], 99, Origin())

    assert await reply_to(echoes, family, 3, Origin()) == (PEER[family], 3)
    foreign.close()

"""Tunnels between two real charons, driven as the gateway daemon drives them, with packets through them."""

from __future__ import annotations

import asyncio
import subprocess
import time
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from crds.gateway import ConnectionStatus
from gateway.plan.cables import plan_cable
from gateway.plan.ipsec import IpsecOptions, plan_ipsec
from gateway.strongswan import StrongswanDriver
from isthmus.charon.naming import child_name, secret_name
from isthmus.charon.records import Psk, SharedSecret, StartAction
from isthmus.reconcile.clock import SystemClock
from tests import netns
from tests.charon.pair import KEY, Pair, running_pair

pytestmark = pytest.mark.root


FOREIGN_SECRET = SharedSecret("roadwarriors", ("a@example.org", "b@example.org"), Psk("theirs"))


async def foreign_tunnel(pair: Pair) -> str:
    """Somebody else's connection in the same two charons; returns the SPI by which it is known again."""
    ends = ((pair.east, "a@example.org", "10.77.1.1"), (pair.west, "b@example.org", "10.77.2.1"))
    for (here, id_here, inner), (there, id_there, inner_there) in (ends, ends[::-1]):
        here.site.ip("address", "add", f"{inner}/32", "dev", "lo")
        (plain,) = plan_ipsec(
            [plan_cable(here.local, there.local)], IpsecOptions(Psk("")), StartAction.NONE
        ).connections
        await here.charon.load_secret(FOREIGN_SECRET)
        foreign = replace(
            plain,
            name="roadwarriors",
            local_id=id_here,
            remote_id=id_there,
            local_subnets=(IPv4Network(inner),),
            remote_subnets=(IPv4Network(inner_there),),
        )
        await here.charon.load_connection(foreign)
    await pair.west.charon.initiate("roadwarriors", child_name(foreign))
    while True:
        found = await pair.east.sas()
        if found and found[0].children:
            return found[0].initiator_spi
        await asyncio.sleep(0.05)


def pinging(pair: Pair, seconds: float) -> subprocess.Popen[str]:
    """A flow from east to west, ten packets a second."""
    east = pair.east.site
    argv = ["ping", "-q", "-i", "0.1", "-c", str(int(seconds * 10)), "-W", "1", "-I", str(east.inner_address)]
    return subprocess.Popen(
        ["ip", "netns", "exec", east.name, *argv, str(pair.west.site.inner_address)],
        stdout=subprocess.PIPE,
        text=True,
    )


async def lost(flow: subprocess.Popen[str]) -> int:
    out, _ = await asyncio.to_thread(flow.communicate)
    sent, received = (int(part.split()[0]) for part in out.splitlines()[-2].split(",")[:2]) if out else (0, 0)
    return sent - received


async def test_a_tunnel_comes_up_carries_all_subnets_and_is_told_in_detail():
    async with running_pair() as pair:
        pair.join()
        await pair.connected()

        state = await pair.east.state()
        assert await pair.ping()
        assert state.tunnel is not None
        assert state.tunnel.algorithm == "AES_GCM_16_256"
        assert (state.using_ip, state.using_nat) == (pair.west.site.address, False)
        for source in pair.east.site.subnets:
            assert any(source in child.local_subnets for sa in await pair.east.sas() for child in sa.children)
        await pair.one_tunnel_each()


async def test_a_rekeyed_child_has_forward_secrecy():
    async with running_pair() as pair:
        pair.join()
        await pair.connected()
        (sa,) = await pair.east.sas()
        settings = pair.east.site.settings

        uri, child_id = settings.vici_uri, str(sa.children[0].unique_id)
        await asyncio.to_thread(netns.run, "swanctl", "--rekey", "--uri", uri, "--child-id", child_id)
        await pair.one_tunnel_each()

        state = await pair.east.state()
        assert state.tunnel is not None
        assert state.tunnel.algorithm == "AES_GCM_16_256/CURVE_25519"
        assert await pair.ping()


async def test_a_restarted_daemons_first_pass_writes_nothing_and_no_packet_is_lost():
    async with running_pair() as pair:
        pair.join()
        await pair.connected()
        flow = pinging(pair, 2)

        fresh = StrongswanDriver(pair.east.charon, IpsecOptions(Psk(KEY)), SystemClock())
        outcome = await fresh.sync((pair.east.cable(),))

        assert (outcome.writes, outcome.failures) == (0, ())
        assert await lost(flow) == 0


@pytest.mark.parametrize("victims", ["east", "west", "both"])
async def test_a_killed_charon_has_its_tunnel_back_within_five_seconds(victims: str):
    async with running_pair() as pair:
        pair.join()
        await pair.connected()
        killed = [gateway for gateway in (pair.east, pair.west) if victims in (gateway.cluster_id, "both")]

        for gateway in killed:
            gateway.site.kill()
        since = time.monotonic()
        assert (await killed[0].reaches(ConnectionStatus.ERROR)).message.startswith("charon does not answer")
        for gateway in killed:
            gateway.site.start()
        while not await pair.ping(1):
            assert time.monotonic() - since < 5
        assert time.monotonic() - since < 5
        await pair.connected()
        await pair.one_tunnel_each()
        assert await pair.ping()


async def test_changed_subnets_reach_both_ends_while_packets_flow():
    more = IPv4Network("10.25.0.0/16")
    async with running_pair() as pair:
        pair.join()
        await pair.connected()
        pair.west.site.ip("address", "add", "10.25.0.1/32", "dev", "lo")
        grown = pair.west.endpoint(more)
        flow = pinging(pair, 9)

        # West knows of its own new subnet first, east hears of it through the broker.
        pair.west.wants(pair.east.local, local=grown)
        await asyncio.sleep(0.5)
        pair.east.wants(grown)
        await pair.connected()
        assert pair.east.site.ping(IPv4Address("10.25.0.1"))

        # A packet may be on its way in the old SA at the moment when that goes.
        assert await lost(flow) <= 1
        await pair.one_tunnel_each()
        (sa,) = await pair.east.sas()
        assert more in sa.children[0].remote_subnets


async def test_a_gateway_that_moved_is_reached_at_its_new_address():
    moved = IPv4Address("192.0.2.9")
    async with running_pair() as pair:
        pair.join()
        await pair.connected()
        pair.west.site.ip("address", "add", f"{moved}/32", "dev", "eth0")
        pair.west.site.ip("address", "del", f"{pair.west.site.address}/24", "dev", "eth0")
        pair.west.site.ip("route", "add", "192.0.2.0/24", "dev", "eth0")
        here = pair.west.endpoint(address=moved)

        pair.east.wants(here)
        pair.west.wants(pair.east.local, local=here)
        await asyncio.sleep(0.1)
        await pair.connected()

        assert (await pair.east.state()).using_ip == moved
        assert await pair.ping()


async def test_a_peer_that_leaves_takes_nothing_foreign_with_it():
    async with running_pair() as pair:
        before = await foreign_tunnel(pair)
        pair.join()
        await pair.connected()

        pair.east.wants(None)
        await pair.west.reaches(ConnectionStatus.CONNECTING)

        assert set(await pair.east.charon.loaded_connections()) == {"roadwarriors"}
        assert await pair.east.charon.loaded_secrets() == {secret_name(FOREIGN_SECRET)}
        assert [sa.initiator_spi for sa in await pair.east.sas()] == [before]


async def test_an_outage_longer_than_the_patience_of_both_ends_is_told_and_healed():
    async with running_pair() as pair:
        pair.join()
        await pair.connected()

        pair.east.site.ip("link", "set", "eth0", "down")
        for gateway in (pair.east, pair.west):
            down = await gateway.reaches(ConnectionStatus.ERROR, seconds=45)
            assert down.message.startswith("no answer from the peer")
        pair.east.site.ip("link", "set", "eth0", "up")

        await pair.connected()
        assert await pair.ping()
        await pair.one_tunnel_each()

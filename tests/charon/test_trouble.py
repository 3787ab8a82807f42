"""What a user reads on both gateways when a tunnel between two real charons cannot come up."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from crds.gateway import ConnectionStatus
from tests.charon.pair import KEY, running_pair

pytestmark = pytest.mark.root

OTHER_KEY = "a" * 64


@pytest.mark.parametrize("wrong", ["east", "west"])
async def test_a_wrong_key_is_named_on_both_gateways_and_stays_named(wrong: str):
    async with running_pair() as pair:
        culprit = pair.east if wrong == "east" else pair.west
        culprit.key = OTHER_KEY
        culprit.restart_daemon()
        pair.join()

        for gateway in (pair.east, pair.west):
            state = await gateway.reaches(ConnectionStatus.ERROR, seconds=5)
            assert "pre-shared key" in state.message
        watched_until = time.monotonic() + 8
        while time.monotonic() < watched_until:
            for gateway in (pair.east, pair.west):
                state = await gateway.state()
                assert state.status is ConnectionStatus.ERROR
                assert "pre-shared key" in state.message
                assert OTHER_KEY not in state.message
            await asyncio.sleep(0.1)


async def test_the_right_key_heals_it_without_a_restart_of_charon():
    async with running_pair() as pair:
        pair.west.key = OTHER_KEY
        pair.west.restart_daemon()
        pair.join()
        await pair.east.reaches(ConnectionStatus.ERROR)

        pair.west.key = KEY
        pair.west.restart_daemon()
        pair.west.kicked.set()

        await pair.connected(seconds=20)
        assert await pair.ping()


async def test_a_key_never_reaches_charons_log():
    async with running_pair() as pair:
        pair.join()
        await pair.connected()

        log = (pair.east.site.run_dir / "charon.log").read_text()
        assert "loaded IKE shared key" in log
        assert KEY not in log


async def test_a_silent_peer_is_called_silent():
    async with running_pair() as pair:
        pair.west.site.stop()

        pair.east.wants(pair.west.local)

        state = await pair.east.reaches(ConnectionStatus.ERROR)
        assert state.message.startswith("no answer from the peer")
        assert str(pair.west.site.address) in state.message


async def test_a_peer_without_an_address_in_its_subnet_is_told_what_to_check():
    async with running_pair() as pair:
        missing = pair.west.site.subnets[0].network_address + 1
        pair.west.site.ip("address", "del", f"{missing}/32", "dev", "lo")

        pair.join()

        await pair.east.says("owns an address in each subnet")


async def test_subnets_that_only_one_side_knows_of_are_named_until_the_other_knows_them():
    async with running_pair() as pair:
        narrow = replace(pair.east.local, subnets=pair.east.local.subnets[:1])
        pair.east.wants(pair.west.local)
        pair.west.wants(narrow)
        await pair.west.reaches(ConnectionStatus.CONNECTED)

        state = await pair.east.reaches(ConnectionStatus.CONNECTING)
        assert state.message.startswith(f"the tunnel does not carry {pair.east.local.subnets[1]} to ")
        pair.west.wants(pair.east.local)

        await pair.connected()
        await pair.one_tunnel_each()

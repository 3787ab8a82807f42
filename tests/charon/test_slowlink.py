"""Tunnels over a round trip of 400 ms with 10 % loss each way: crossing calls are the rule there."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.charon.pair import running_pair
from tests.charon.slowlink import slow_link

pytestmark = pytest.mark.root


async def test_two_charons_killed_at_once_find_to_one_tunnel_again():
    async with running_pair(link=slow_link) as pair:
        pair.join()
        await pair.connected()

        for gateway in (pair.east, pair.west):
            gateway.site.kill()
        for gateway in (pair.east, pair.west):
            gateway.site.start()
        since = time.monotonic()
        await asyncio.sleep(1)
        await pair.connected()
        east, west = pair.east.site, pair.west.site
        while not await asyncio.to_thread(east.ping, west.inner_address, 5):
            assert time.monotonic() - since < 15

        await pair.one_tunnel_each(45)
        assert await asyncio.to_thread(east.ping, west.inner_address, 5)


async def test_losses_do_not_end_a_tunnel():
    async with running_pair(link=slow_link) as pair:
        pair.join()
        await pair.connected()
        before = [sa.initiator_spi for sa in await pair.east.sas()]

        # Long enough for two rounds of dead-peer detection.
        await asyncio.sleep(15)

        assert [sa.initiator_spi for sa in await pair.east.sas()] == before
        await pair.connected()

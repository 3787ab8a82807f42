"""Gateway processes as they will really run: two clusters that find each other by the broker."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from isthmus.kube.resources import CLUSTERS, ENDPOINTS, GATEWAYS, LEASES
from tests.kernel.gateway_rig import MEETING, Clusters, clusters

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def world() -> Iterator[Clusters]:
    with clusters() as up:
        up.east.start()
        up.west.start()
        yield up


@contextmanager
def steady_traffic(clusters: Clusters) -> Iterator[None]:
    """An echo from east to west every 20 ms for the block's duration; not one may be lost."""
    east, west = clusters.east.site, clusters.west.site
    argv = ["ping", "-q", "-i", "0.02", "-I", str(east.inner_address), str(west.inner_address)]
    running = subprocess.Popen(["ip", "netns", "exec", east.name, *argv], stdout=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=10)
    sent, received = (int(number) for number in re.findall(r"(\d+) (?:packets transmitted|received)", said))
    # The last echo may still be on its way when ping is told to end.
    assert sent > 50, said
    assert sent - received <= 1, said


async def test_two_clusters_find_each_other_and_packets_pass(world):
    await world.connected()

    assert world.east.site.ping(world.west.site.inner_address)
    assert world.west.site.ping(world.east.site.inner_address)
    met = [item["metadata"]["name"] for item in await world.objects(CLUSTERS, MEETING)]
    assert met == ["east", "west"]


async def test_a_healthy_gateway_is_ready_and_shows_its_metrics(world):
    await world.connected()

    assert world.east.fetch("/readyz") == "ok\n"
    assert world.east.fetch("/healthz") == "ok\n"
    metrics = world.east.fetch("/metrics")
    assert re.search(
        r'^submariner_connections\{.*remote_cluster="west".*status="connected"\} 1.0$', metrics, re.M
    )
    assert re.search(r"^submariner_connection_latency_seconds\{.*\} 0\.\d+", metrics, re.M)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_gateway_that_is_restarted_loses_no_packet_and_writes_nothing_to_charon(world, how):
    await world.connected()
    before = len(world.east.log)

    with steady_traffic(world):
        await asyncio.sleep(0.5)
        code = world.east.end(how)
        await asyncio.sleep(1.0)
        world.east.start()
        await world.connected()

    assert code == (0 if how is signal.SIGTERM else -signal.SIGKILL)
    passes = [line for line in world.east.log[before:] if line["event"] == "pass_changed"]
    assert [line["steps"] for line in passes if "charon" in line["steps"]] == []


async def test_a_killed_charon_is_told_in_words_and_the_tunnel_is_back_seconds_after_its_return(world):
    await world.connected()
    world.east.site.kill()

    async def told() -> bool:
        gateway = await world.gateway(world.east)
        return gateway is not None and "charon" in gateway.status.status_failure

    await world.eventually("the status names charon", told)
    assert world.east.fetch("/readyz").startswith("the last pass failed: driver: ")

    world.east.site.start()
    began = time.monotonic()
    while not world.east.site.ping(world.west.site.inner_address, count=1):
        assert time.monotonic() - began < 5.0
    await world.connected()


async def test_removal_leaves_the_host_as_it_was_and_no_object_behind(world):
    await world.connected()
    world.west.end(signal.SIGTERM)
    assert "10.20.0.0/32" in world.west.addresses()

    said = world.west.uninstall()

    assert "10.20.0.0/32" not in world.west.addresses()
    assert '"complete": true' in said
    for resource in (CLUSTERS, ENDPOINTS, GATEWAYS, LEASES):
        assert await world.objects(resource, world.west.namespace) == ()
    met = [item["metadata"]["name"] for item in await world.objects(CLUSTERS, MEETING)]
    assert met == ["east"]

"""The three pages over real HTTP on loopback, and what decides them."""

import asyncio
import socket
from contextlib import asynccontextmanager

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from isthmus.reconcile.errors import Transient
from isthmus.reconcile.health import Health, serve
from isthmus.reconcile.outcome import Outcome, PassReport
from tests.fakes.clock import FakeClock, settle

CLEAN = PassReport.of([Outcome("routes", added=2)])
FAILED = PassReport.of([Outcome("routes", failures=(Transient("the lock is held"), Transient("again")))])


def health_of(clock: FakeClock, waiting: tuple[str, ...] = ()) -> Health:
    return Health(clock, lambda: waiting, CollectorRegistry())


def test_a_daemon_is_not_ready_before_every_kind_was_read():
    health = health_of(FakeClock(), ("Endpoint (cannot list endpoints)", "Node"))
    health.observe(PassReport(), 0.1)

    assert health.unreadiness() == "not read yet: Endpoint (cannot list endpoints), Node"


def test_a_daemon_is_not_ready_before_its_first_pass():
    assert health_of(FakeClock()).unreadiness() == "no pass has run yet"


def test_a_daemon_is_ready_after_a_clean_pass():
    health = health_of(FakeClock())
    health.observe(CLEAN, 0.1)

    assert health.unreadiness() == ""


def test_a_daemon_whose_last_pass_failed_says_why_it_is_not_ready():
    health = health_of(FakeClock())
    health.observe(CLEAN, 0.1)
    health.observe(FAILED, 0.1)

    assert health.unreadiness() == "the last pass failed: routes: the lock is held (and 1 more)"


async def test_a_daemon_whose_passes_stopped_is_ill():
    clock = FakeClock()
    health = health_of(clock)
    assert health.illness() == ""

    await clock.advance(170)
    health.observe(FAILED, 0.1)
    await clock.advance(170)
    assert health.illness() == ""

    await clock.advance(11)
    assert health.illness() == "no pass has ended for 181 s"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def served(health: Health, clock: FakeClock, port: int):
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(serve(health, ("127.0.0.1", "127.0.0.2"), port, clock))
        await settle()
        async with aiohttp.ClientSession() as session:
            yield session
        serving.cancel()


async def fetch(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with session.get(url) as response:
        return response.status, await response.text()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
async def test_the_pages_answer_on_every_address(host):
    clock, port = FakeClock(), free_port()
    health = health_of(clock)
    health.observe(CLEAN, 0.1)
    health.observe(FAILED, 0.1)

    async with served(health, clock, port) as session:
        alive = await fetch(session, f"http://{host}:{port}/healthz")
        ready = await fetch(session, f"http://{host}:{port}/readyz")
        _, metrics = await fetch(session, f"http://{host}:{port}/metrics")

    assert alive == (200, "ok\n")
    assert ready == (503, "the last pass failed: routes: the lock is held (and 1 more)\n")
    assert "isthmus_passes_total 2.0" in metrics
    assert 'isthmus_pass_failures_total{step="routes"} 2.0' in metrics
    assert 'isthmus_writes_total{step="routes"} 2.0' in metrics
    assert "isthmus_last_success_timestamp_seconds 1.767" in metrics


async def test_a_taken_port_is_tried_again_until_it_is_free():
    clock, port = FakeClock(), free_port()
    health = health_of(clock)
    other = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", port)

    async with served(health, clock, port) as session:
        assert clock.next_wake == 10
        other.close()
        await other.wait_closed()
        await clock.advance(10)

        assert (await fetch(session, f"http://127.0.0.1:{port}/healthz"))[0] == 200

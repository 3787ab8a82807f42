"""Runs a gateway's parts until it is cancelled, and says goodbye."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from gateway.config import Settings
from gateway.daemon import Boundaries, Daemon, build_daemon
from gateway.drivers import CableDriver
from isthmus.kube.store import Store
from isthmus.kube.watch import reflect
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.service import endless

log = structlog.get_logger()


async def run_daemon(settings: Settings, world: Boundaries, version: str) -> None:
    """Run until cancelled; then release the Lease and remove our Gateway object, but leave the cables."""
    daemon = build_daemon(settings, world, version)
    try:
        await _run_parts(settings, world, daemon)
    except asyncio.CancelledError:
        await _say_goodbye(daemon)
        raise


async def _run_parts(settings: Settings, world: Boundaries, daemon: Daemon) -> None:
    def on_lease() -> None:
        # The leader sees its own renewals here and would answer each with another one.
        if not daemon.campaign.leads():
            daemon.campaign.look()

    watches: tuple[tuple[Store[Any], Callable[[], None]], ...] = (
        (daemon.members.clusters, daemon.kick),
        (daemon.members.endpoints, daemon.kick),
        (daemon.gateways, lambda: None),
        (daemon.leases, on_lease),
    )
    running: dict[str, Awaitable[None]] = {
        "the election": daemon.campaign.run(),
        "the cable passes": daemon.cable_loop.run(),
        "the announcements": daemon.announce_loop.run(),
        "the reports": daemon.status_loop.run(),
        "the reads of the node": daemon.node_loop.run(),
        "the broker's watches": daemon.broker.watch(daemon.announce_loop.kick),
        "the driver's events": _follow(world.driver, daemon),
        "the health pages": world.show_health(daemon.health),
    }
    for store, on_change in watches:
        watch = reflect(world.api, store, settings.namespace, world.clock, on_change)
        running[f"the watch of {store.resource}"] = watch
    if daemon.pinger is not None:
        running["the pings"] = daemon.pinger.run()
    async with asyncio.TaskGroup() as tasks:
        for name, task in running.items():
            tasks.create_task(endless(name, task))


async def _follow(driver: CableDriver, daemon: Daemon) -> None:
    async for _ in driver.changes():
        daemon.cable_loop.kick()
        daemon.status_loop.kick()


async def _say_goodbye(daemon: Daemon) -> None:
    await daemon.campaign.withdraw()
    try:
        await daemon.status.sign_off()
    except Transient as failure:
        log.warning("gateway_object_left", error=str(failure))

"""The gateway daemon, `isthmus-gateway`, and its removal, `isthmus-gateway --uninstall`."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from importlib.metadata import version

import structlog

from broker.connection import BrokerConnection, read_broker_connection
from broker.side import Side
from gateway.cabling import Cabling
from gateway.config import Settings, read_settings
from gateway.daemon import Boundaries
from gateway.health.echo import Tag
from gateway.health.icmp import RawEchoes
from gateway.plan.ipsec import IpsecOptions
from gateway.psk import RenewedKey, read_psk
from gateway.run import run_daemon
from gateway.strongswan import StrongswanDriver
from gateway.survey import FAMILY
from gateway.sweeper import Sweeper
from gateway.uninstall import Removal, uninstall
from isthmus.charon.records import Psk
from isthmus.charon.session import ViciSession
from isthmus.dataplane.command import SystemCommand
from isthmus.dataplane.facts import host_facts
from isthmus.dataplane.netlink import kernel_netlink
from isthmus.kube.auth import Access, connect, from_kubeconfig, in_cluster
from isthmus.reconcile import logs, service
from isthmus.reconcile.clock import SystemClock
from isthmus.reconcile.environment import wants_debug, wants_uninstall
from isthmus.reconcile.errors import Fatal
from isthmus.reconcile.health import Health, serve

log = structlog.get_logger()

TOKEN_BYTES = 16


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon or the removal; the return value is the exit code."""
    parser = argparse.ArgumentParser(prog="isthmus-gateway", description="Connects this cluster to others.")
    parser.add_argument("--uninstall", action="store_true", help="remove all that is this gateway's and exit")
    parser.add_argument("--version", action="version", version=version("isthmus"))
    chosen = parser.parse_args(arguments)
    environ = dict(os.environ)
    debug = wants_debug(environ)
    logs.configure(
        "gateway", environ.get("SUBMARINER_CLUSTERID", ""), environ.get("NODE_NAME", ""), debug=debug
    )
    start = _remove if chosen.uninstall else _start
    return service.run(partial(_as_root, start, environ))


async def _as_root(start: Callable[[Mapping[str, str]], Awaitable[None]], environ: Mapping[str, str]) -> None:
    if os.geteuid() != 0:
        raise Fatal("isthmus-gateway sets up tunnels and addresses: run it as root")
    await start(environ)


async def _start(environ: Mapping[str, str]) -> None:
    if wants_uninstall(environ, "the gateway"):
        await _remove(environ)
        return
    settings, meeting = _read_all(environ)
    psk = read_psk(settings.ipsec.psk_file, environ)
    key = RenewedKey(settings.ipsec.psk_file, environ, psk)
    clock = SystemClock()
    async with AsyncExitStack() as open_until_end:
        api = await open_until_end.enter_async_context(connect(await _access(settings, environ)))
        broker = await open_until_end.enter_async_context(connect(meeting.access))
        netlink = await open_until_end.enter_async_context(kernel_netlink())
        host = await host_facts(netlink, FAMILY, settings.cluster_cidrs)
        tag = Tag(secrets.randbelow(1 << 16), secrets.token_bytes(TOKEN_BYTES))
        echoes = RawEchoes(FAMILY, tag)
        open_until_end.callback(echoes.close)

        async def show_health(health: Health) -> None:
            await serve(health, ["127.0.0.1", str(host.private_ip)], settings.metrics_port, clock)

        world = Boundaries(
            api=api,
            broker=Side("the broker", broker, meeting.namespace),
            netlink=netlink,
            driver=_driver(settings, psk, clock, key.read),
            echoes=echoes,
            clock=clock,
            show_health=show_health,
        )
        await run_daemon(settings, world, version("isthmus"))


async def _remove(environ: Mapping[str, str]) -> None:
    settings = read_settings(environ)
    try:
        meeting = read_broker_connection(environ)
    except Fatal as fault:
        log.warning("broker_left_out", reason=str(fault))
        meeting = None
    async with AsyncExitStack() as open_until_end:
        api = await open_until_end.enter_async_context(connect(await _access(settings, environ)))
        broker = None
        if meeting is not None:
            away = await open_until_end.enter_async_context(connect(meeting.access))
            broker = Side("the broker", away, meeting.namespace)
        netlink = await open_until_end.enter_async_context(kernel_netlink())
        driver = _driver(settings, Psk(""), SystemClock())
        await uninstall(Removal(settings, api, broker, Cabling(netlink.addresses, driver, pinger=None)))


def _read_all(environ: Mapping[str, str]) -> tuple[Settings, BrokerConnection]:
    """Read both parts of the environment and tell the faults of both at once."""
    faults = []
    settings, meeting = None, None
    try:
        settings = read_settings(environ)
    except Fatal as fault:
        faults.append(str(fault))
    try:
        meeting = read_broker_connection(environ)
    except Fatal as fault:
        faults.append(str(fault))
    if settings is None or meeting is None:
        raise Fatal("\n".join(faults))
    return settings, meeting


async def _access(settings: Settings, environ: Mapping[str, str]) -> Access:
    return await from_kubeconfig(settings.kubeconfig) if settings.kubeconfig else in_cluster(environ)


def _driver(
    settings: Settings, psk: Psk, clock: SystemClock, read_key: Callable[[], Psk] | None = None
) -> StrongswanDriver:
    options = IpsecOptions(psk, settings.ipsec.force_encapsulation)
    return StrongswanDriver(
        ViciSession(settings.ipsec.vici_socket), options, clock, read_key, Sweeper(SystemCommand())
    )


if __name__ == "__main__":
    sys.exit(main())

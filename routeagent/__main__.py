"""The route agent's program: reads the environment, opens the boundaries and runs until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import structlog

from crds.meta import Family
from isthmus.dataplane.command import Command, SystemCommand
from isthmus.dataplane.facts import host_facts
from isthmus.dataplane.iptables.backend import detect_backend, installed_backends
from isthmus.dataplane.iptables.kernel import kernel_packet_filter
from isthmus.dataplane.netlink import kernel_netlink
from isthmus.dataplane.sysctl import KernelSysctl, OriginalsFile
from isthmus.dataplane.tables import Netlink
from isthmus.kube import writer
from isthmus.kube.auth import Access, connect, from_kubeconfig, in_cluster
from isthmus.kube.resources import ROUTE_AGENTS
from isthmus.reconcile import logs, service
from isthmus.reconcile.clock import SystemClock
from isthmus.reconcile.environment import wants_debug, wants_uninstall
from isthmus.reconcile.errors import Fatal, Transient
from routeagent.apply import Host
from routeagent.config import Settings, read_settings, state_directory
from routeagent.daemon import COMPONENT, Daemon, World
from routeagent.health import IcmpEchoes
from routeagent.uninstall import clean_node

FAMILY: Family = 4
ORIGINALS = "sysctl.json"
LOOPBACK = "127.0.0.1"
FORGET_SECONDS = 10.0

log = structlog.get_logger()


def main() -> None:
    """Entry point of `isthmus-routeagent`."""
    options = _options(sys.argv[1:])
    variables = dict(os.environ)
    sys.exit(service.run(_program(options.uninstall, variables)))


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=COMPONENT,
        description="Programs this node for traffic to other clusters. Settings come from the environment.",
    )
    parser.add_argument("--uninstall", action="store_true", help="remove everything from this node and exit")
    parser.add_argument("--version", action="version", version=version("isthmus"))
    return parser.parse_args(arguments)


def _program(uninstall: bool, variables: Mapping[str, str]) -> Callable[[], Awaitable[None]]:
    async def program() -> None:
        _configure_logs(variables)
        if os.geteuid() != 0:
            raise Fatal(f"{COMPONENT} changes routes, links and packet filters: run it as root")
        if uninstall or wants_uninstall(variables, "the route agent"):
            await _uninstall(state_directory(variables))
            await _forget(variables)
        else:
            await _run(read_settings(variables))

    return program


def _configure_logs(variables: Mapping[str, str]) -> None:
    """Before the settings are read, so that their faults are logged like everything else."""
    logs.configure(
        COMPONENT,
        variables.get("SUBMARINER_CLUSTERID", ""),
        variables.get("NODE_NAME", ""),
        debug=wants_debug(variables),
    )


async def _run(settings: Settings) -> None:
    command = SystemCommand()
    async with kernel_netlink() as netlink, connect(await _access(settings)) as api:
        packet_filter = kernel_packet_filter(command, FAMILY, await detect_backend(command, FAMILY))
        originals = OriginalsFile(settings.state_directory / ORIGINALS)
        host = Host(netlink, packet_filter, KernelSysctl(), originals)
        world = World(api, host, IcmpEchoes(), SystemClock())
        daemon = Daemon(settings, world, version("isthmus"), FAMILY)
        await daemon.run(await _listening(netlink, settings))


async def _access(settings: Settings) -> Access:
    if settings.kubeconfig is None:
        return in_cluster()
    return await from_kubeconfig(settings.kubeconfig)


async def _listening(netlink: Netlink, settings: Settings) -> tuple[str, ...]:
    """Loopback, and the node's address if there is one yet."""
    try:
        facts = await host_facts(netlink, FAMILY, settings.local.cluster_cidrs)
    except Transient:
        return (LOOPBACK,)
    return LOOPBACK, str(facts.private_ip)


async def _uninstall(directory: Path) -> None:
    command: Command = SystemCommand()
    backends = await installed_backends(command, FAMILY) or ("nft",)
    filters = [kernel_packet_filter(command, FAMILY, backend) for backend in backends]
    async with kernel_netlink() as netlink:
        host = Host(netlink, filters[0], KernelSysctl(), OriginalsFile(directory / ORIGINALS))
        await clean_node(host, filters, FAMILY)


async def _forget(variables: Mapping[str, str]) -> None:
    """Remove the node's RouteAgent object as well, if the environment says where it is."""
    try:
        settings = read_settings(variables)
        async with asyncio.timeout(FORGET_SECONDS), connect(await _access(settings)) as api:
            await writer.remove(api, ROUTE_AGENTS, settings.namespace, settings.node)
    except (Fatal, Transient, TimeoutError) as reason:
        log.warning("route_agent_object_left", reason=str(reason) or "the API server does not answer")


if __name__ == "__main__":
    main()

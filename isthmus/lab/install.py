"""Plays the kubelet for Isthmus: starts on every node what `isthmus join` asked for, and takes it back.

It reads nothing but what `join` wrote in the cluster, so that a cluster which runs in the lab would run on
real nodes from the same objects. What it started is known from the nodes' unit files, also after the cluster
left.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from isthmus.kube.api import KubeApi, Object
from isthmus.kube.auth import connect, from_kubeconfig
from isthmus.kube.errors import NotFound
from isthmus.kube.resources import CONFIG_MAPS, NODES, SECRETS, SERVICES
from isthmus.lab import charon, kubelet, process
from isthmus.lab.lab import Lab, Report
from isthmus.lab.node import Machine
from isthmus.lab.supervisor import Unit, parse_unit
from isthmus.reconcile.errors import Fatal, Transient

TOKEN_SECONDS = 30 * 86400
UNINSTALL_SECONDS = 60.0
START_SECONDS = 15.0
_AT_ONCE = 8
_ROOT_CA_TRIES = 150
_ROOT_CA_POLL = 0.2


class UninstallFailed(Transient):
    """A daemon could not remove what is its own from a node; says which and why."""


def install(lab: Lab, clusters: Sequence[str], report: Report) -> None:
    """Start the daemons on every node of *clusters*; what runs unchanged goes on.

    Raises:
        Fatal: a cluster has not joined, or charon is not installed.
        Transient: an API server or a node refused.
    """
    esp = charon.detect_esp()
    report(charon.describe(esp))
    for name in clusters:
        facts, tokens = asyncio.run(_read_cluster(lab, name))
        for node in lab.topology.cluster(name).nodes:
            machine = lab.machine(node.name)
            daemons = kubelet.daemons_of(node.name, facts)
            for daemon in daemons:
                directory = _pod_directory(machine, daemon)
                _write_files(directory, kubelet.plan_files(daemon, tokens[daemon], facts))
            if kubelet.GATEWAY in daemons:
                machine.put(charon.NAME, charon.prepare(machine, esp, facts.ipsec_port))
            for daemon in daemons:
                machine.put(daemon, _unit(machine, daemon, facts))
        for node in lab.topology.cluster(name).nodes:
            machine = lab.machine(node.name)
            _await_running(machine, kubelet.daemons_of(node.name, facts))
            report(f"{node.name}: {', '.join(sorted(set(machine.running()) - {'kube-proxy'}))}")


def uninstall(lab: Lab, clusters: Sequence[str], report: Report) -> None:
    """Stop the daemons on every node of *clusters* and let each remove what is its own there.

    Raises:
        UninstallFailed: after all nodes were tried, with what went wrong on each.
    """
    machines = [lab.machine(node.name) for name in clusters for node in lab.topology.cluster(name).nodes]
    faults: list[str] = []
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        for machine, found in zip(machines, pool.map(_uninstall_node, machines), strict=True):
            report(f"{machine.name}: {'; '.join(found) or 'removed'}")
            faults += [f"{machine.name}: {fault}" for fault in found]
    if faults:
        raise UninstallFailed("; ".join(faults))


def _unit(machine: Machine, daemon: str, facts: kubelet.ClusterFacts) -> Unit:
    socket = f"unix://{charon.RUN_DIRECTORY}/charon.vici"
    return Unit(
        argv=kubelet.plan_command(sys.executable, daemon, _pod_directory(machine, daemon)),
        log=str(machine.log(daemon)),
        env=kubelet.plan_environment(machine.name, facts, socket),
    )


def _pod_directory(machine: Machine, daemon: str) -> Path:
    # In the lab's directory, which the node sees at the same path: its own /run cannot be written from here.
    return machine.directory / "pods" / daemon


def _write_files(directory: Path, files: Mapping[Path, bytes]) -> None:
    """Make *directory* hold exactly *files*, each replaced in one step and readable for its owner only."""
    for stale in [path for path in directory.rglob("*") if path.is_file()]:
        if stale.relative_to(directory) not in files:
            stale.unlink()
    for relative, content in files.items():
        path = directory / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(content)
        fresh.rename(path)


def _await_running(machine: Machine, units: Iterable[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while any(not machine.running().get(unit, {}).get("pid") for unit in units):
        if time.monotonic() > deadline:
            raise Fatal(f"{machine.name} does not start what it should; see {machine.log('supervisor')}")
        time.sleep(0.05)


async def _read_cluster(lab: Lab, name: str) -> tuple[kubelet.ClusterFacts, dict[str, str]]:
    """Read what `join` wrote, and issue a token for each daemon's account."""
    access = await from_kubeconfig(lab.plane(name).kubeconfig, name)
    async with connect(access) as api:
        facts = await _read_facts(api, name)
        tokens = {
            daemon: await api.create_token(kubelet.NAMESPACE, account, TOKEN_SECONDS)
            for daemon, account in kubelet.ACCOUNTS.items()
        }
    return facts, tokens


async def _read_facts(api: KubeApi, name: str) -> kubelet.ClusterFacts:
    try:
        config = (await api.get(CONFIG_MAPS, kubelet.NAMESPACE, kubelet.CONFIG_MAP))["data"]
        secrets = {
            secret: kubelet.decode_secret(await api.get(SECRETS, kubelet.NAMESPACE, secret))
            for secret in kubelet.secret_names(config)
        }
    except NotFound as error:
        raise Fatal(
            f"cluster {name} has not joined: run 'isthmus join' for it first ({error.cause})"
        ) from None
    service = (await api.get(SERVICES, "default", "kubernetes"))["spec"]
    nodes = {
        item["metadata"]["name"]: item["metadata"].get("labels") or {}
        for item in (await api.list(NODES)).items
    }
    return kubelet.ClusterFacts(
        config=config,
        secrets=secrets,
        ca=(await _root_ca(api))["data"]["ca.crt"].encode(),
        api_host=service["clusterIP"],
        api_port=service["ports"][0]["port"],
        gateways=kubelet.gateway_nodes(nodes),
    )


async def _root_ca(api: KubeApi) -> Object:
    """Read the ConfigMap that every namespace gets from a controller, a moment after its creation."""
    for _ in range(_ROOT_CA_TRIES):
        try:
            return await api.get(CONFIG_MAPS, kubelet.NAMESPACE, "kube-root-ca.crt")
        except NotFound:
            await asyncio.sleep(_ROOT_CA_POLL)
    return await api.get(CONFIG_MAPS, kubelet.NAMESPACE, "kube-root-ca.crt")


def _uninstall_node(machine: Machine) -> list[str]:
    """Stop and remove; return what went wrong, as sentences."""
    faults: list[str] = []
    for daemon in (kubelet.GATEWAY, kubelet.ROUTE_AGENT):
        path = machine.directory / "units" / f"{daemon}.json"
        if not path.exists():
            continue
        unit = parse_unit(path.read_text(encoding="utf-8"))
        machine.drop(daemon)
        environment = [f"{key}={value}" for key, value in unit.env.items()]
        command = machine.enter(["env", *environment, *unit.argv, "--uninstall"])
        ended = process.run(command, timeout=UNINSTALL_SECONDS)
        if not ended.ok:
            faults.append(f"{daemon} --uninstall ended with {ended.status}: {_last_line(ended)}")
    machine.drop(charon.NAME)
    shutil.rmtree(machine.directory / "pods", ignore_errors=True)
    leftovers = [kubelet.STATE_DIRECTORY, str(charon.RUN_DIRECTORY), "/run/secrets"]
    process.run(machine.enter(["rm", "-rf", "--one-file-system", *leftovers]))
    return faults


def _last_line(ended: process.Completed) -> str:
    lines = (ended.stderr.strip() or ended.stdout.strip()).splitlines()
    return lines[-1][-300:] if lines else "it said nothing"

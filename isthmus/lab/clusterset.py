"""Make one clusterset of a lab's clusters, with the commands that a user would type.

Used by the demo, the end-to-end tests and the benchmarks: each step is the `isthmus` command itself.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from crds.endpoint import render_spec
from crds.gateway import parse_gateway
from isthmus.lab import process
from isthmus.lab.install import install, uninstall
from isthmus.lab.lab import Lab, Report
from isthmus.reconcile.errors import Fatal

NAMESPACE = "submariner-operator"
KIND = "gateways.submariner.io"
BROKER_FILE = "broker-info.subm"
CONNECT_SECONDS = 60.0
MEASURE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Connection:
    """What one gateway says of one tunnel."""

    cluster: str
    remote: str
    status: str
    message: str
    address: str
    rtt_seconds: float | None


def cli(lab: Lab, *words: str) -> process.Completed:
    """Run `isthmus` with the lab's kubeconfig, in the lab's directory."""
    return process.run(
        [sys.executable, "-m", "isthmus.cli", *words],
        env={"KUBECONFIG": str(lab.paths.kubeconfig), "COLUMNS": "140"},
        cwd=lab.paths.directory,
        timeout=120,
    )


def checked_cli(lab: Lab, *words: str) -> str:
    """Run `isthmus`, return its output, raise if it fails."""
    completed = cli(lab, *words)
    if not completed.ok:
        raise process.ProgramFailed(completed)
    return completed.stdout


def deploy_broker(lab: Lab, cluster: str) -> None:
    """Make *cluster* the broker; the join file lies in the lab's directory."""
    checked_cli(lab, "deploy-broker", "--context", cluster)


def join_command(lab: Lab, cluster: str) -> list[str]:
    """The words after `isthmus` that make *cluster* a member."""
    shape = lab.topology.cluster(cluster)
    words = ["join", BROKER_FILE, "--context", cluster, "--clusterid", cluster]
    words += ["--clustercidr", str(shape.pod_cidr)]
    gateways = [node.name for node in shape.nodes if node.gateway]
    # One candidate needs no choice.
    chosen = [word for name in gateways for word in ("--gateway-node", name)] if len(gateways) > 1 else []
    return words + chosen


def join(lab: Lab, cluster: str, report: Report) -> None:
    """Make *cluster* a member and start the daemons on its nodes."""
    checked_cli(lab, *join_command(lab, cluster))
    install(lab, [cluster], report)


def leave(lab: Lab, cluster: str, report: Report) -> None:
    """Stop the daemons of *cluster*, let them clear their nodes, and take the cluster out of the set."""
    uninstall(lab, [cluster], report)
    checked_cli(lab, "leave", "--context", cluster)


def connections(lab: Lab, clusters: Iterable[str]) -> list[Connection]:
    """What the gateways of *clusters* report of their tunnels; none where nothing reports yet."""
    found = []
    for cluster in clusters:
        # By kubectl: asked again and again, `isthmus show` would compete with the daemons it waits for.
        with suppress(process.ProgramFailed):
            found += parse_connections(
                cluster, lab.kubectl(cluster, "get", "-n", NAMESPACE, KIND, "-o", "json")
            )
    return found


def parse_connections(cluster: str, text: str) -> list[Connection]:
    """Read the Gateway objects of *cluster*, as kubectl lists them."""
    return [
        Connection(
            cluster=cluster,
            remote=str(render_spec(connection.endpoint).get("cluster_id", "")),
            status=connection.status,
            message=connection.message,
            address="" if connection.using_ip is None else str(connection.using_ip),
            rtt_seconds=None if connection.latency is None else connection.latency.average,
        )
        for item in json.loads(text)["items"]
        for connection in parse_gateway(item).status.connections
    ]


def wait_connected(lab: Lab, clusters: Sequence[str], *, seconds: float = CONNECT_SECONDS) -> float:
    """Return, after how many seconds, once every cluster is connected to every other; Fatal if never."""
    started = time.monotonic()
    wanted = {(one, other) for one in clusters for other in clusters if one != other}
    while True:
        rows = connections(lab, clusters)
        if {(row.cluster, row.remote) for row in rows if row.status == "connected"} >= wanted:
            return time.monotonic() - started
        if time.monotonic() - started > seconds:
            seen = "; ".join(f"{row.cluster} → {row.remote}: {row.status} {row.message}" for row in rows)
            raise Fatal(f"the clusters did not connect in {seconds:g} s: {seen or 'no gateway reports'}")
        time.sleep(0.2)


def wait_measured(lab: Lab, clusters: Sequence[str], *, seconds: float = MEASURE_SECONDS) -> None:
    """Return once every connection has a round-trip time; after *seconds* without: checks may be off."""
    deadline = time.monotonic() + seconds
    while any(row.rtt_seconds is None for row in connections(lab, clusters)):
        if time.monotonic() > deadline:
            return
        time.sleep(0.2)


def join_all(lab: Lab, report: Report) -> None:
    """Make one set of all the lab's clusters, with the broker in the first; return when all are connected."""
    names = [cluster.name for cluster in lab.topology.clusters]
    deploy_broker(lab, names[0])
    report(f"broker deployed in {names[0]}")
    for name in names:
        join(lab, name, report)
        report(f"{name} joined")
    report(f"all connected {wait_connected(lab, names):.1f} s later")

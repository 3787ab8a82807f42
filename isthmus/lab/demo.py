"""`isthmus lab demo`: two clusters, joined before the user's eyes, in plain words.

Every command shown can be typed by hand afterwards; nothing shown is made up: what a server said, what charon
holds and what crossed the wire are read from them.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from isthmus.charon.records import IkeSa
from isthmus.charon.session import ViciSession
from isthmus.lab import capture, charon, clusterset, objects, preflight
from isthmus.lab import lab as labs
from isthmus.lab.install import install
from isthmus.lab.lab import Lab
from isthmus.lab.network import WAN
from isthmus.lab.topology import Node, default_topology
from isthmus.lab.wirecount import Kind, Wire, WireCounts
from isthmus.reconcile.errors import Fatal

WIDTH = 120
"""Columns: tables stay readable when the output goes to a file or a narrow terminal."""
TRANSFER_BYTES = 10 * 1024 * 1024


class Narrator:
    """Says what happens, numbered."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._number = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A headline; what is reported inside stands indented below it."""
        self._number += 1
        self.console.print(f"\n[bold cyan]{self._number}. {escape(title)}[/]")
        yield

    def say(self, line: str) -> None:
        self.console.print(f"   {escape(line)}", highlight=False, soft_wrap=True)

    def command(self, line: str) -> None:
        self.console.print(f"   [bold]$[/] {escape(line)}", highlight=False, soft_wrap=True)


def demo(name: str = labs.DEFAULT_NAME) -> None:
    """Run the whole demonstration and leave the lab up."""
    preflight.require_root()
    narrator = Narrator(Console(width=WIDTH))
    topology = default_topology()
    with narrator.step("Two Kubernetes clusters with real control planes; nodes and Pods are namespaces"):
        lab = labs.up(topology, narrator.say, name)
    with capture.recording(lab.paths.namespace(WAN), lab.paths.directory / "demo.pcap") as recorded:
        with narrator.step("Isthmus joins them; the broker is a namespace in east"):
            _join(lab, narrator)
        with narrator.step("The tunnel, as strongSwan on east's gateway node holds it"):
            _show_tunnel(lab, narrator)
        with narrator.step("Pods fetch pages across clusters, by Pod IP and by ClusterIP"):
            _show_fetches(lab, narrator)
        with narrator.step("What crossed the wire between the sites meanwhile, the join included"):
            wire = Wire(tuple(net for c in topology.clusters for net in (c.pod_cidr, c.service_cidr)))
            _show_wire(capture.stop_capture(recorded, wire).counts, narrator)
    with narrator.step("The lab stays up. Try, as root:"):
        _invite(lab, narrator)


def _join(lab: Lab, narrator: Narrator) -> None:
    names = [cluster.name for cluster in lab.topology.clusters]
    narrator.command(f"isthmus deploy-broker --context {names[0]}")
    clusterset.deploy_broker(lab, names[0])
    for cluster in names:
        words = clusterset.join_command(lab, cluster)
        narrator.command(f"isthmus {' '.join(words)}")
        clusterset.checked_cli(lab, *words)
    narrator.command(f"isthmus lab install {' '.join(names)}")
    install(lab, names, narrator.say)
    narrator.say(f"connected {clusterset.wait_connected(lab, names):.1f} s after the daemons started")
    clusterset.wait_measured(lab, names)
    narrator.command("isthmus show connections")
    narrator.console.print(clusterset.checked_cli(lab, "show", "connections"), markup=False, highlight=False)


def _show_tunnel(lab: Lab, narrator: Narrator) -> None:
    gateway = next(node for node in lab.topology.clusters[0].nodes if node.gateway)
    # The node's /run is its own; its socket is reached through the node's first process.
    socket = Path(f"/proc/{lab.machine(gateway.name).init()}/root{charon.RUN_DIRECTORY}/charon.vici")
    for sa in asyncio.run(_list_sas(socket)):
        narrator.say(f"peers      {sa.local_address} ⇄ {sa.remote_address}, {sa.state}")
        narrator.say(f"IKE        {sa.algorithm}, SPIs {sa.initiator_spi} / {sa.responder_spi}")
        for child in sa.children:
            kind = "ESP in UDP" if child.encapsulated else "ESP"
            narrator.say(f"{kind:<10} {child.algorithm}, SPIs {child.spi_in} in, {child.spi_out} out")
            local = ", ".join(map(str, child.local_subnets))
            remote = ", ".join(map(str, child.remote_subnets))
            narrator.say(f"subnets    {local} ⇄ {remote}")
    for row in clusterset.connections(lab, [lab.topology.clusters[0].name]):
        if row.rtt_seconds is not None:
            narrator.say(f"RTT        {row.rtt_seconds * 1000:.2f} ms through the tunnel to {row.remote}")


async def _list_sas(socket: Path) -> tuple[IkeSa, ...]:
    session = ViciSession(socket)
    try:
        return await session.list_sas()
    finally:
        session.close()


def _show_fetches(lab: Lab, narrator: Narrator) -> None:
    table = Table("from", "to", "address", "answered by", "saw the client as", box=None, pad_edge=False)
    east, west = lab.topology.clusters[:2]
    for client_cluster, server_cluster in ((east, west), (west, east)):
        client = _worker(client_cluster.nodes)
        server = _worker(server_cluster.nodes)
        service = service_address(lab, server_cluster.name, server.pods[0].name)
        for kind, url in (
            ("Pod", f"http://{server.pods[0].address}:{objects.POD_PORT}/"),
            ("Service", f"http://{service}/"),
        ):
            place = f"{client_cluster.name}/{client.pods[0].name}"
            answer = json.loads(lab.check(place, ["curl", "-sS", "-m", "10", url]))
            if answer["client"] != str(client.pods[0].address):
                raise Fatal(f"{place} was seen as {answer['client']} and not by its own address")
            table.add_row(place, kind, url, answer["server"], f"{answer['client']} (the Pod itself)")
    narrator.console.print(table)
    place = f"{east.name}/{_worker(east.nodes).pods[0].name}"
    url = f"http://{_worker(west.nodes).pods[0].address}:{objects.POD_PORT}/bytes?n={TRANSFER_BYTES}"
    format_ = "%{size_download} bytes in %{time_total} s"
    narrator.say(f"10 MiB: {lab.check(place, ['curl', '-sS', '-o', '/dev/null', '-w', format_, url])}")


def _worker(nodes: tuple[Node, ...]) -> Node:
    return next((node for node in nodes if not node.gateway), nodes[0])


def service_address(lab: Lab, cluster: str, service: str) -> str:
    """The ClusterIP of a Service in the default namespace."""
    return lab.kubectl(cluster, "get", "service", service, "-o", "jsonpath={.spec.clusterIP}").strip()


def _show_wire(counts: WireCounts, narrator: Narrator) -> None:
    table = Table("packets", "bytes", "kind", box=None, pad_edge=False)
    for kind in Kind:
        colour = "red" if kind is Kind.CLEAR and counts.clear else "default"
        table.add_row(str(counts.packets[kind]), str(counts.sizes[kind]), f"[{colour}]{kind.value}[/]")
    narrator.console.print(table)
    if counts.unexpected:
        raise Fatal(f"packets that should not be there crossed the wire: {'; '.join(counts.examples)}")
    narrator.say("Not one packet of a Pod or a Service was readable on the way.")


def _invite(lab: Lab, narrator: Narrator) -> None:
    which = "" if lab.paths.name == labs.DEFAULT_NAME else f" --name {lab.paths.name}"
    programs = shlex.quote(str(Path(sys.executable).parent))
    for line in (
        f"export KUBECONFIG={lab.paths.kubeconfig} PATH={programs}:$PATH",
        "isthmus show connections",
        f"isthmus lab status{which}",
        f"isthmus lab exec{which} east/web-worker -- ping -c 3 10.20.1.10",
        f"isthmus lab link{which} east west --delay 100",
        f"isthmus lab logs{which} east-gateway isthmus-gateway",
        f"isthmus lab down{which}",
    ):
        narrator.command(line)

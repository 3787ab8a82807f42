"""A whole lab: bring it up, take it down, run things in it.

`up` may be repeated: what is complete stays, a half-made lab is removed and made anew. `down` needs no record
of what was made and so also cleans up after an `up` that was killed.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from isthmus.lab import controlplane, httpserver, kubeproxy, network, objects, preflight, process, state
from isthmus.lab.binaries import Programs, find_programs
from isthmus.lab.controlplane import ControlPlane
from isthmus.lab.node import Machine
from isthmus.lab.state import MARK, LabPaths
from isthmus.lab.topology import Node, Topology, dump_topology, load_topology
from isthmus.reconcile.errors import Fatal

Report = Callable[[str], None]
DEFAULT_NAME = "isthmus"


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is up, or that `up` will bring up."""

    paths: LabPaths
    topology: Topology

    def plane(self, cluster: str) -> ControlPlane:
        """The control plane of *cluster*."""
        found = self.topology.cluster(cluster)
        position = self.topology.clusters.index(found)
        return ControlPlane(self.paths, found, network.host_link(self.paths, position)[2].ip)

    def machine(self, node: str) -> Machine:
        return Machine(self.paths, self.topology.node(node).name)

    def command(self, place: str, argv: Sequence[str]) -> list[str]:
        """The command that runs *argv* at *place*: a node, a pod `cluster/pod`, a cluster or `wan`."""
        if place in (node.name for node in self.topology.nodes):
            return self.machine(place).enter(argv)
        name = place.replace("/", "-")
        if name not in network.places(self.topology):
            raise Fatal(f"there is no place {place!r} in this lab; there is {', '.join(self.places())}")
        return ["ip", "netns", "exec", self.paths.namespace(name), *argv]

    def places(self) -> list[str]:
        """Where `command` can run things."""
        pods = [f"{node.cluster}/{pod.name}" for node in self.topology.nodes for pod in node.pods]
        clusters = [cluster.name for cluster in self.topology.clusters]
        return [*(node.name for node in self.topology.nodes), *pods, *clusters, network.WAN]

    def run(self, place: str, argv: Sequence[str], *, timeout: float = 60) -> process.Completed:
        """Run *argv* at *place* to its end."""
        return process.run(self.command(place, argv), timeout=timeout)

    def check(self, place: str, argv: Sequence[str], *, timeout: float = 60) -> str:
        """Run *argv* at *place*, return its output, raise if it fails."""
        return process.check(self.command(place, argv), timeout=timeout)

    def kubectl(self, cluster: str, *words: str) -> str:
        """Run kubectl as the administrator of *cluster*."""
        return process.check(objects.kubectl(self.plane(cluster), find_programs(_silent), *words))


def _silent(_line: str) -> None:
    """Programs were found when the lab came up; there is nothing to report."""


def opened(name: str = DEFAULT_NAME) -> Lab:
    """The running lab called *name*; Fatal if there is none, or if it is not for this user."""
    paths = LabPaths(name)
    try:
        is_up = paths.topology.exists()
    except PermissionError:
        raise Fatal(f"the lab {name!r} belongs to root: run this as root, for instance with sudo") from None
    if not is_up:
        raise Fatal(f"no lab called {name!r} is up: `isthmus lab up` starts one")
    return Lab(paths, load_topology(paths.topology))


def up(topology: Topology, report: Report, name: str = DEFAULT_NAME) -> Lab:
    """Bring the lab up and return when its pods serve; a lab that is up already is left as it is."""
    preflight.require_root()
    lab = Lab(LabPaths(name), topology)
    with state.alone(lab.paths):
        if lab.paths.topology.exists():
            return _still_up(lab, report)
        preflight.require_programs()
        if leftovers(lab.paths):
            report("removing what an earlier, unfinished lab left behind")
            _remove(lab.paths)
        _build(lab, find_programs(report), report)
    return lab


def _still_up(lab: Lab, report: Report) -> Lab:
    """The running lab of that name, if it is the wanted one and whole; Fatal otherwise."""
    name = lab.paths.name
    running = opened(name)
    if running.topology != lab.topology:
        raise Fatal(f"a different lab called {name!r} is up: take it down first, or use another --name")
    dead = [node.name for node in lab.topology.nodes if not running.machine(node.name).alive()]
    dead += [plane.cluster.name for plane in _planes(running) if not controlplane.serves(plane)]
    if dead:
        raise Fatal(
            f"of the lab {name!r}, {', '.join(dead)} does not run any more: `isthmus lab down`, then up again"
        )
    report(f"lab {name!r} is up already")
    return running


def _build(lab: Lab, programs: Programs, report: Report) -> None:
    steps: list[tuple[str, Callable[[Lab, Programs], None]]] = [
        ("networks", _make_networks),
        ("control planes", _start_control_planes),
        ("nodes and pods", _start_nodes),
        ("API servers ready", _wait_for_servers),
        ("objects and kube-proxies", _populate),
        ("pods and Services answering", _wait_for_answers),
    ]
    for title, step in steps:
        started = time.monotonic()
        step(lab, programs)
        report(f"{title} ({time.monotonic() - started:.1f} s)")
    lab.paths.topology.write_text(dump_topology(lab.topology), encoding="utf-8")


def _make_networks(lab: Lab, _programs: Programs) -> None:
    paths, topology = lab.paths, lab.topology
    state.note_machine()
    paths.directory.mkdir(parents=True)
    process.check(["mount", "--no-mtab", "-t", "tmpfs", "-o", "mode=700", "tmpfs", str(paths.directory)])
    for place in network.places(topology):
        process.check(["ip", "netns", "add", paths.namespace(place)])
    ways = [way for site in topology.sites for way in network.api_routes(paths, topology, site)]
    network.apply(paths, network.WAN, network.router_commands(paths, topology) + ways)
    network.set_sysctls(paths, network.WAN, network.ROUTER_SYSCTLS)
    for node in topology.nodes:
        cluster, site = topology.cluster(node.cluster), topology.site(node.site)
        commands = network.node_commands(paths, cluster, node, site) + network.api_routes(
            paths, topology, site
        )
        network.apply(paths, node.name, commands)
        network.set_sysctls(paths, node.name, network.NODE_SYSCTLS)
        for port, pod in enumerate(node.pods):
            place = network.pod_place(node.cluster, pod.name)
            network.apply(paths, place, network.pod_commands(paths, node, pod, port))
        network.apply(paths, node.name, network.bridge_commands(node))
    for position, cluster in enumerate(topology.clusters):
        site = topology.site(cluster.site)
        network.apply(paths, cluster.name, network.control_plane_commands(paths, cluster, site))
        _link_to_host(paths, cluster.name, position)
    for site in topology.sites:
        network.apply(
            paths, network.site_place(site), network.site_commands(network.ports_of(topology, site))
        )


def _link_to_host(paths: LabPaths, place: str, position: int) -> None:
    link, ours, theirs = network.host_link(paths, position)
    lines = [
        f"link add {link} type veth peer name host netns {paths.namespace(place)}",
        f"address add {ours} dev {link}",
        f"link set {link} up",
    ]
    process.check(["ip", "-batch", "-"], stdin="\n".join(lines) + "\n")
    network.apply(paths, place, [f"address add {theirs} dev host", "link set host up"])


def _planes(lab: Lab) -> list[ControlPlane]:
    return [lab.plane(cluster.name) for cluster in lab.topology.clusters]


def _start_control_planes(lab: Lab, programs: Programs) -> None:
    for plane in _planes(lab):
        controlplane.start(plane, programs)
    controlplane.merge_kubeconfigs(_planes(lab), lab.paths.kubeconfig)


def _start_nodes(lab: Lab, _programs: Programs) -> None:
    for node in lab.topology.nodes:
        lab.machine(node.name).start()
        for pod in node.pods:
            serve(lab, node, f"{node.cluster}/{pod.name}")
    for node in lab.topology.nodes:
        machine = lab.machine(node.name)
        machine.wait_started()
        rules = network.masquerade_rules(lab.topology.cluster(node.cluster))
        process.check(machine.enter(["iptables-restore", "--noflush"]), stdin=rules)


def serve(lab: Lab, node: Node, place: str) -> None:
    """Start the HTTP and UDP server at *place*, a pod of *node*."""
    process.spawn(
        lab.command(place, [sys.executable, "-S", httpserver.__file__, place, str(objects.POD_PORT)]),
        log=lab.paths.log(node.name, place.replace("/", "-")),
        env={MARK: lab.paths.name},
    )


def _wait_for_servers(lab: Lab, _programs: Programs) -> None:
    for plane in _planes(lab):
        controlplane.wait_ready(plane)


def _populate(lab: Lab, programs: Programs) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda plane: objects.write_objects(plane, programs), _planes(lab)))
    for cluster in lab.topology.clusters:
        set_proxy_mode(lab, cluster.name, programs)


def set_proxy_mode(lab: Lab, cluster: str, programs: Programs) -> None:
    """Run kube-proxy on every node of *cluster*, in the mode that its topology asks for."""
    plane = lab.plane(cluster)
    for node in plane.cluster.nodes:
        unit = kubeproxy.unit(plane, node, programs, plane.cluster.proxy_mode)
        lab.machine(node.name).put(kubeproxy.NAME, unit)


def _wait_for_answers(lab: Lab, programs: Programs) -> None:
    """Return when every node reaches its pods, and through its kube-proxy every Service of its cluster."""
    deadline = time.monotonic() + controlplane.READY_SECONDS
    for plane in _planes(lab):
        services = objects.service_addresses(plane, programs)
        for node in plane.cluster.nodes:
            urls = [f"http://{pod.address}:{objects.POD_PORT}/" for pod in node.pods]
            urls += [f"http://{address}:{objects.SERVICE_PORT}/" for address in services]
            for url in urls:
                _wait_for_answer(lab, node.name, url, deadline)


def _wait_for_answer(lab: Lab, node: str, url: str, deadline: float) -> None:
    while not (done := lab.run(node, ["curl", "-s", "--noproxy", "*", "-m", "2", url])).ok:
        if time.monotonic() > deadline:
            raise process.ProgramFailed(done)
        time.sleep(0.1)


def leftovers(paths: LabPaths) -> bool:
    """Whether anything of the lab is there."""
    return bool(
        state.namespaces(paths)
        or state.processes(paths)
        or network.host_links(paths)
        or paths.directory.exists()
    )


def down(report: Report, name: str = DEFAULT_NAME) -> None:
    """Remove every process, namespace, link, mount and file of the lab; fine if there is none."""
    preflight.require_root()
    paths = LabPaths(name)
    with state.alone(paths):
        if leftovers(paths):
            _remove(paths)
            report(f"lab {name!r} is removed")
        else:
            report(f"no lab called {name!r} is there")
        state.tidy_machine()


def _remove(paths: LabPaths) -> None:
    # More than once: what was being killed may have started something meanwhile.
    for _ in range(5):
        process.kill_all(state.processes(paths))
    # The kernel takes its time to clear a namespace away; the links on this side are not to wait for that.
    for link in network.host_links(paths):
        process.run(["ip", "link", "delete", link])
    for namespace in state.namespaces(paths):
        process.check(["ip", "netns", "delete", namespace])
    for mount in state.mounts(paths):
        process.check(["umount", "--no-mtab", "-l", mount])
    shutil.rmtree(paths.directory, ignore_errors=True)


def log_files(lab: Lab, place: str) -> dict[str, Path]:
    """Program name to log file of everything that ran at *place*; Fatal if nothing ever did."""
    directory = lab.paths.directory / "log"
    known = sorted(path.name for path in directory.glob("*/"))
    if place not in known:
        raise Fatal(f"{place!r} has no logs; those of this lab are at {', '.join(known) or 'no place yet'}")
    return {path.stem: path for path in sorted((directory / place).glob("*.log"))}

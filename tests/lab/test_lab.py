"""Real labs: what is in them, and that nothing of them remains, however they ended."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from isthmus.lab import lab as labs
from isthmus.lab import network, process
from isthmus.lab.lab import Lab
from isthmus.lab.state import LabPaths
from isthmus.lab.topology import ClusterShape, build, default_topology
from isthmus.reconcile.errors import Fatal

pytestmark = pytest.mark.lab

RUN = f"t{os.getpid()}"
"""Beginning of every lab's name here: another run may be on at the same time."""
NAME = f"{RUN}up"
DATAGRAM = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(0.5)
    for _ in range(20):
        client.sendto(b"?", (sys.argv[1], int(sys.argv[2])))
        try:
            print(client.recv(1000).decode())
            break
        except (TimeoutError, ConnectionRefusedError):
            pass
"""


def silent(_line: str) -> None:
    """Progress is of no interest here."""


def remains(name: str) -> list[str]:
    """Everything on this machine that carries the lab's name, found without the lab's own ways of finding."""
    paths = LabPaths(name)
    words = (f"isl-{name}-", str(paths.directory), f"ISTHMUS_LAB={name}\0")
    found = [f"namespace {each.name}" for each in Path("/run/netns").glob(f"isl-{name}-*")]
    link, _, _ = network.host_link(paths, 0)
    found += [f"link {each.name}" for each in Path("/sys/class/net").glob(f"{link.rpartition('-')[0]}-*")]
    found += [f"mount {line}" for line in Path("/proc/mounts").read_text().splitlines() if words[1] in line]
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
        except OSError:
            continue
        if any(word.encode() in told for word in words):
            found.append(f"process {entry.name} {told[:200]!r}")
    return found + [f"directory {each}" for each in (paths.directory,) if each.exists()]


def eventually(answer: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether *answer* becomes true in time."""
    deadline = time.monotonic() + seconds
    while not answer() and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer()


@pytest.fixture(scope="module")
def lab():
    assert remains(NAME) == []
    try:
        yield labs.up(default_topology(), silent, NAME)
    finally:
        labs.down(silent, NAME)
    assert remains(NAME) == []


def fetch(lab: Lab, place: str, address: str) -> dict[str, str]:
    done = lab.run(place, ["curl", "-s", "--noproxy", "*", "-m", "3", f"http://{address}/"])
    return json.loads(done.stdout) if done.ok else {}


def served_by(lab: Lab, place: str, address: str, server: str) -> bool:
    return fetch(lab, place, address).get("server") == server


def ask(lab: Lab, place: str, address: str, port: int) -> dict[str, str]:
    said = lab.check(place, [sys.executable, "-c", DATAGRAM, address, str(port)])
    return json.loads(said) if said else {}


def cluster_ip(lab: Lab, cluster: str, service: str) -> str:
    return lab.kubectl(cluster, "get", "service", service, "-o", "jsonpath={.spec.clusterIP}")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "isthmus.lab", *words]


@pytest.mark.parametrize("cluster", ["east", "west"])
def test_the_real_controller_publishes_every_pod(lab, cluster):
    wanted = {str(pod.address) for node in lab.topology.cluster(cluster).nodes for pod in node.pods}

    def published() -> set[str]:
        slices = json.loads(lab.kubectl(cluster, "get", "endpointslices", "-o", "json"))["items"]
        return {
            address
            for each in slices
            for endpoint in each.get("endpoints") or ()
            if endpoint["conditions"]["ready"]
            for address in endpoint["addresses"]
        }

    assert eventually(lambda: wanted <= published())


@pytest.mark.parametrize("client", ["east/web-worker", "east/web-gateway", "east-worker", "east-gateway"])
def test_a_service_is_reached_from_pods_and_nodes_over_tcp_and_udp(lab, client):
    address = cluster_ip(lab, "east", "web-worker")

    assert eventually(lambda: served_by(lab, client, address, "east/web-worker"))
    assert eventually(lambda: ask(lab, client, address, 80).get("server") == "east/web-worker")


def test_a_server_sees_the_address_of_a_pod_on_another_node(lab):
    client = lab.topology.node("east-gateway").pods[0]
    server = lab.topology.node("east-worker").pods[0]

    assert fetch(lab, f"east/{client.name}", f"{server.address}:8080")["client"] == str(client.address)


def test_sites_meet_only_at_the_router_and_clusters_not_at_all(lab):
    east, west = lab.topology.node("east-worker"), lab.topology.node("west-worker")

    reply = lab.check(east.name, ["ping", "-c", "1", "-W", "2", str(west.address.ip)])
    pod = lab.run("east/web-worker", ["ping", "-c", "1", "-W", "1", str(west.pods[0].address)])

    assert "ttl=63" in reply
    assert not pod.ok


def test_an_api_server_is_reached_from_this_machine_and_over_the_wan_with_its_certificate(lab):
    plane = lab.plane("west")
    url = f"https://{plane.address}:6443/version"
    ca = plane.directory / "pki" / "ca.crt"

    said = lab.check("east-gateway", ["curl", "-s", "--noproxy", "*", "-m", "5", "--cacert", str(ca), url])

    assert json.loads(said)["gitVersion"].startswith("v1.")
    assert lab.kubectl("west", "get", "--raw", "/readyz") == "ok"


def test_a_node_has_processes_files_and_a_name_of_its_own(lab):
    lab.check("east-worker", ["touch", "/run/only-here"])

    assert lab.check("east-worker", ["hostname"]) == "east-worker\n"
    assert not lab.run("east-gateway", ["test", "-e", "/run/only-here"]).ok
    assert not Path("/run/only-here").exists()
    running = lab.check("east-worker", ["ps", "-eww", "-o", "pid,args"])
    assert re.search(r"^ +1 .*isthmus\.lab\.supervisor", running, re.MULTILINE)
    assert running.count("kube-proxy --kubeconfig") == 1
    assert "etcd" not in running


def test_a_unit_that_is_killed_comes_back(lab):
    machine = lab.machine("west-worker")
    before = machine.running()["kube-proxy"]

    machine.kill("kube-proxy")

    assert eventually(lambda: machine.running()["kube-proxy"]["starts"] == before["starts"] + 1)


def test_up_again_is_harmless_and_a_different_lab_is_refused(lab):
    said: list[str] = []
    running = (lab.paths.node("east-worker") / "running.json").read_text()

    labs.up(default_topology(), said.append, NAME)

    assert said == [f"lab '{NAME}' is up already"]
    assert (lab.paths.node("east-worker") / "running.json").read_text() == running
    with pytest.raises(Fatal, match="a different lab"):
        labs.up(default_topology("nftables"), silent, NAME)


def test_the_commands_enter_show_and_log(lab):
    inside = ("exec", "--name", NAME, "east-worker")
    entered = process.run(command(*inside, "--", "sh", "-c", "hostname; exit 3"))
    address = process.run(command(*inside, "ip", "-4", "-o", "address", "show", "dev", "eth0"))
    shown = process.run(command("status", "--name", NAME))
    logged = process.run(command("logs", "--name", NAME, "east"))

    assert (entered.stdout, entered.status) == ("east-worker\n", 3)
    assert "172.31.1.51/24" in address.stdout
    assert "west-gateway: 172.31.2.50, runs kube-proxy" in shown.stdout
    assert {"etcd", "kube-apiserver", "kube-controller-manager"} <= set(logged.stdout.split())


def test_a_second_lab_beside_it_shares_nothing_with_kube_proxy_in_nftables_mode(lab):
    other = f"{RUN}other"
    try:
        second = labs.up(build((ClusterShape("east", proxy_mode="nftables"),)), silent, other)
        address = cluster_ip(second, "east", "web-gateway")
        for client in ("east-worker", "east/web-worker", "east/web-gateway"):
            assert eventually(partial(served_by, second, client, address, "east/web-gateway"))
            assert ask(second, client, address, 80)["server"] == "east/web-gateway"
        assert "table ip kube-proxy" in second.check("east-worker", ["nft", "list", "tables"])
    finally:
        labs.down(silent, other)

    assert remains(other) == []
    assert lab.kubectl("east", "get", "--raw", "/readyz") == "ok"


def test_a_lab_of_which_something_died_is_not_called_up():
    name = f"{RUN}dead"
    try:
        dead = labs.up(build((ClusterShape("east", workers=0),)), silent, name)
        process.kill_all([dead.machine("east-gateway").init()])

        with pytest.raises(Fatal, match=r"east-gateway does not run any more: `isthmus lab down`"):
            labs.up(dead.topology, silent, name)
    finally:
        labs.down(silent, name)
    assert remains(name) == []


@pytest.mark.parametrize("seconds", [0.4, 0.7, 1.1, 1.8, 4.0])
def test_a_lab_whose_start_was_killed_goes_away_whole(seconds):
    name = f"{RUN}kill"
    with subprocess.Popen(command("up", "--name", name), stderr=subprocess.DEVNULL) as starting:
        time.sleep(seconds)
        os.kill(starting.pid, signal.SIGKILL)
    process.check(command("down", "--name", name))

    assert remains(name) == []


def test_a_lab_whose_start_was_killed_is_completed_by_the_next_start():
    name = f"{RUN}again"
    topology = build((ClusterShape("east", workers=0),))
    try:
        with subprocess.Popen(command("up", "--name", name), stderr=subprocess.DEVNULL) as starting:
            time.sleep(1.2)
            os.kill(starting.pid, signal.SIGKILL)
        again = labs.up(topology, silent, name)
        assert fetch(again, "east-gateway", f"{again.topology.nodes[0].pods[0].address}:8080")
    finally:
        labs.down(silent, name)
    assert remains(name) == []


def test_without_root_one_sentence_says_so_and_the_status_is_1():
    # The first call, as root, reads what Python loads late: perhaps only root may read it where it lies.
    code = (
        "import contextlib, os, sys; from isthmus.lab.commands import main\n"
        "sys.argv = ['isthmus-lab', 'status', '--name', 'testroot']\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "os.setuid(65534); sys.argv[1] = 'up'; main()"
    )

    done = process.run([sys.executable, "-c", code])

    assert done.status == 1
    assert done.stderr.splitlines()[1:] == [
        "isthmus lab: the lab makes network namespaces: run this as root, for instance with sudo"
    ]

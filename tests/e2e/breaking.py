"""Ways to break what daemons stand on, each undone at the end of its block."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager

from isthmus.lab import objects, process
from isthmus.lab.binaries import find_programs
from isthmus.lab.controlplane import API_PORT
from isthmus.lab.install import install
from isthmus.lab.kubelet import NAMESPACE
from isthmus.lab.lab import Lab
from tests.e2e.patience import eventually


def restart(lab: Lab, node: str, unit: str) -> None:
    """Kill *unit* and return when its successor runs."""
    machine = lab.machine(node)
    starts = machine.running()[unit]["starts"]
    machine.kill(unit)

    def again() -> None:
        running = machine.running().get(unit, {})
        assert running.get("starts", 0) > starts, running
        assert running["pid"], running

    eventually(again)


@contextmanager
def no_way_to_api(lab: Lab, node: str, cluster: str) -> Iterator[None]:
    """Refuse all packets of *node* to the API server of *cluster*, as a router without a route does."""
    address = str(lab.plane(cluster).address)
    rule = ["-d", address, "-p", "tcp", "--dport", str(API_PORT), "-j", "REJECT"]
    lab.check(node, ["iptables", "-w", "-I", "OUTPUT", *rule])
    # What is open would only be found dead after a silence of a minute.
    lab.check(node, ["ss", "-K", "dst", address])
    try:
        yield
    finally:
        lab.check(node, ["iptables", "-w", "-D", "OUTPUT", *rule])


@contextmanager
def changed_secret(lab: Lab, cluster: str, name: str, key: str, content: bytes) -> Iterator[None]:
    """Let one key of a Secret of the daemons have other content, and their files, too."""
    words = ("-n", NAMESPACE, "get", "secret", name, "-o", "json")
    original = json.loads(lab.kubectl(cluster, *words))["data"][key]
    _set_key(lab, cluster, name, key, base64.b64encode(content).decode())
    try:
        yield
    finally:
        _set_key(lab, cluster, name, key, original)


def _set_key(lab: Lab, cluster: str, name: str, key: str, encoded: str) -> None:
    patch = json.dumps({"data": {key: encoded}})
    lab.kubectl(cluster, "-n", NAMESPACE, "patch", "secret", name, "--type=merge", "-p", patch)
    install(lab, [cluster], print)


def send(lab: Lab, cluster: str, item: dict[str, object], *words: str) -> None:
    """Hand *item* to kubectl as the administrator of *cluster*."""
    command = objects.kubectl(lab.plane(cluster), find_programs(print), *words, "-f", "-")
    process.check(command, stdin=json.dumps(item))

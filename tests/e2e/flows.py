"""Flows across clusters, and what they suffered: asked by the tests that break things meanwhile."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from isthmus.lab import objects
from isthmus.lab.demo import service_address
from isthmus.lab.lab import Lab

ASK_BY_UDP = """
import socket, sys
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.settimeout(5)
udp.sendto(b"who am I?", (sys.argv[1], int(sys.argv[2])))
print(udp.recv(4096).decode())
"""
PING_INTERVAL = 0.02


@dataclass(frozen=True)
class Target:
    """Where a server is reached."""

    address: str
    port: int


def target(lab: Lab, cluster: str, role: str, kind: str) -> Target:
    """The server pod on *cluster*'s gateway or worker node, by its own address or its Service's."""
    if kind == "ClusterIP":
        return Target(service_address(lab, cluster, f"web-{role}"), objects.SERVICE_PORT)
    node = lab.topology.node(f"{cluster}-{role}")
    return Target(str(node.pods[0].address), objects.POD_PORT)


def ask_by_tcp(lab: Lab, place: str, server: Target) -> dict[str, str]:
    """Who answered, and whom did it see?"""
    url = f"http://{server.address}:{server.port}/"
    answer: dict[str, str] = json.loads(lab.check(place, ["curl", "-sS", "-m", "5", url]))
    return answer


def ask_by_udp(lab: Lab, place: str, server: Target) -> dict[str, str]:
    command = [sys.executable, "-S", "-c", ASK_BY_UDP, server.address, str(server.port)]
    answer: dict[str, str] = json.loads(lab.check(place, command))
    return answer


def network_command(lab: Lab, place: str, argv: list[str]) -> list[str]:
    """The command that runs *argv* in the network of *place*, itself, so that a signal reaches it.

    `Lab.command` enters a node's process namespace too, which takes a process in between.
    """
    return ["ip", "netns", "exec", lab.paths.namespace(place.replace("/", "-")), *argv]


@dataclass
class Flow:
    """An established flow of echo requests, 50 a second."""

    output: str = ""
    sequence: list[tuple[float, int]] = field(default_factory=list)

    @property
    def sent(self) -> int:
        found = re.search(r"(\d+) packets transmitted", self.output)
        assert found, self.output[-500:]
        return int(found[1])

    @property
    def lost(self) -> int:
        found = re.search(r"(\d+) received", self.output)
        assert found, self.output[-500:]
        return self.sent - int(found[1])

    @property
    def longest_gap(self) -> float:
        """Seconds between two answers at most."""
        times = [when for when, _ in self.sequence]
        return max(later - earlier for earlier, later in pairwise(times))


@contextmanager
def pinging(lab: Lab, place: str, address: str) -> Iterator[Flow]:
    """Ping *address* from *place* for as long as the block lasts."""
    flow = Flow()
    command = network_command(lab, place, ["ping", "-n", "-D", "-i", str(PING_INTERVAL), "-W", "2", address])
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as ping:
        time.sleep(1)
        try:
            yield flow
            time.sleep(1)
        finally:
            # SIGINT lets ping print its summary.
            ping.send_signal(2)
            flow.output = ping.communicate(timeout=10)[0]
    answers = re.findall(r"^\[([\d.]+)\].*icmp_seq=(\d+) ttl", flow.output, re.MULTILINE)
    flow.sequence.extend((float(when), int(number)) for when, number in answers)

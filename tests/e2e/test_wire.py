"""What the WAN sees of a clusterset's whole life: encrypted packets, TLS to the broker, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from isthmus.lab import capture, charon, clusterset
from isthmus.lab import lab as labs
from isthmus.lab.lab import Lab
from isthmus.lab.network import WAN
from isthmus.lab.topology import default_topology
from isthmus.lab.wirecount import Kind, Wire
from tests.e2e.flows import ask_by_tcp, ask_by_udp, pinging, target
from tests.e2e.test_restarts import restarted

NAME = "e2ewire"


@pytest.fixture
def lab() -> Iterator[Lab]:
    labs.down(print, NAME)
    yield labs.up(default_topology(), print, NAME)
    labs.down(print, NAME)


def test_nothing_of_a_pod_or_a_service_crosses_the_wire_in_the_clear(lab: Lab) -> None:
    recording = capture.start_capture(lab.paths.namespace(WAN), lab.paths.directory / "wire.pcap")

    clusterset.join_all(lab, print)
    for place in ("east/web-worker", "east/web-gateway", "east-worker", "east-gateway"):
        for kind in ("Pod IP", "ClusterIP"):
            ask_by_tcp(lab, place, target(lab, "west", "worker", kind))
            ask_by_udp(lab, place, target(lab, "west", "gateway", kind))
    worker = target(lab, "west", "worker", "Pod IP").address
    gateway = target(lab, "east", "gateway", "Pod IP").address
    with (
        pinging(lab, "east/web-worker", worker),
        pinging(lab, "east/web-gateway", worker),
        pinging(lab, "east-worker", worker),
        pinging(lab, "west/web-gateway", gateway),
    ):
        for node, unit in (
            ("east-gateway", "isthmus-gateway"),
            ("east-gateway", "isthmus-routeagent"),
            ("east-worker", "isthmus-routeagent"),
            ("east-gateway", charon.NAME),
            ("west-gateway", charon.NAME),
        ):
            restarted(lab.machine(node), unit)
    clusterset.leave(lab, "west", print)
    clusterset.leave(lab, "east", print)

    networks = tuple(net for each in lab.topology.clusters for net in (each.pod_cidr, each.service_cidr))
    recorded = capture.stop_capture(recording, Wire(networks))
    counts = recorded.counts
    for kind in Kind:
        print(f"{counts.packets[kind]:8} packets {counts.sizes[kind]:10} bytes  {kind}")
    assert recorded.dropped == 0
    assert counts.clear == 0, counts.examples
    assert counts.unexpected == 0, counts.examples
    assert counts.packets[Kind.IKE] > 0
    assert counts.packets[Kind.ESP_IN_UDP] + counts.packets[Kind.ESP] > 1000
    assert counts.packets[Kind.TLS] > 0

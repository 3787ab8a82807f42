"""Daemons die under traffic: no packet is lost, a successor finds nothing to write, charon comes back."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from isthmus.lab import charon
from isthmus.lab.lab import Lab
from isthmus.lab.node import Machine
from tests.e2e.flows import network_command, pinging, target

KERNEL_STEPS = {"links", "addresses", "neighbours", "fdb", "routes", "rules", "ruleset", "sysctls", "charon"}
SETTLE_SECONDS = 6.0
POD_PORT = re.compile(r"\d+: pod\d+(@\S+)?: ")


def restarted(machine: Machine, unit: str) -> None:
    """Kill *unit* without warning and return once its successor has had time for its first passes."""
    starts = machine.running()[unit]["starts"]
    machine.kill(unit)
    deadline = time.monotonic() + 10
    while machine.running().get(unit, {}).get("starts") != starts + 1:
        assert time.monotonic() < deadline, f"{unit} was not started again"
        time.sleep(0.05)
    time.sleep(SETTLE_SECONDS)


def passes_after(log: Path, offset: int) -> list[dict[str, Any]]:
    """The passes that changed or failed something, as the daemon logged them since *offset*."""
    lines = log.read_text(encoding="utf-8")[offset:].splitlines()
    records = [json.loads(line) for line in lines if line.startswith("{")]
    assert records, "the restarted daemon said nothing at all"
    return [record for record in records if "steps" in record]


@contextmanager
def kernel_events(lab: Lab, node: str) -> Iterator[list[str]]:
    """What changes in the node's links, addresses, routes and rules during the block.

    But for the ports of the Pods' bridge: they are the lab's, and the kernel has news of them now and then.
    """
    command = network_command(lab, node, ["ip", "monitor", "link", "address", "route", "rule"])
    seen: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as monitor:
        time.sleep(0.5)
        try:
            yield seen
        finally:
            monitor.terminate()
            news = re.split(r"^(?=\S)", monitor.communicate(timeout=10)[0], flags=re.MULTILINE)
            seen.extend(event for event in news if event and not POD_PORT.match(event))


@pytest.mark.parametrize(
    ("node", "unit"),
    [
        ("east-gateway", "isthmus-gateway"),
        ("east-gateway", "isthmus-routeagent"),
        ("east-worker", "isthmus-routeagent"),
    ],
)
def test_a_killed_daemon_costs_no_packet_and_its_successor_writes_nothing(
    joined: Lab, node: str, unit: str
) -> None:
    machine = joined.machine(node)
    server = target(joined, "west", "worker", "Pod IP")
    offset = len(machine.log(unit).read_text(encoding="utf-8"))
    rules_before = joined.check(node, ["iptables-save"])

    with pinging(joined, "east/web-worker", server.address) as flow, kernel_events(joined, node) as events:
        restarted(machine, unit)

    assert flow.lost == 0, flow.output[-300:]
    assert flow.sent > 250
    assert events == []
    assert without_comments(joined.check(node, ["iptables-save"])) == without_comments(rules_before)
    for record in passes_after(machine.log(unit), offset):
        assert not KERNEL_STEPS & record["steps"].keys(), record


def without_comments(saved: str) -> list[str]:
    """iptables-save's rules without its dates and packet counters."""
    return [line.partition(" [")[0] for line in saved.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("node", ["east-gateway", "west-gateway"])
def test_the_tunnel_is_back_within_five_seconds_after_charon_was_killed(joined: Lab, node: str) -> None:
    server = target(joined, "west", "worker", "Pod IP")

    with pinging(joined, "east/web-worker", server.address) as flow:
        restarted(joined.machine(node), charon.NAME)

    print(f"charon killed on {node}: {flow.longest_gap:.2f} s in silence, {flow.lost} of {flow.sent} lost")
    assert flow.sequence[-1][1] >= flow.sent - 5, "the tunnel did not come back"
    assert flow.longest_gap <= 5.0

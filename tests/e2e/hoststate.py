"""All that Isthmus has in the kernels and charons of a lab, as text that can be compared."""

from __future__ import annotations

import re

from isthmus.lab.charon import RUN_DIRECTORY
from isthmus.lab.lab import Lab

READS = (
    "ip rule",
    "ip route show table all",
    "ip -o address",
    "bridge fdb show dev vx-submariner",
    "ipset save",
    "iptables-save",
)
CONNECTIONS = f"swanctl --list-conns --uri unix://{RUN_DIRECTORY}/charon.vici"


def host_state(lab: Lab) -> dict[str, list[str]]:
    """The state of every node, without what changes by itself."""
    found = {}
    for node in lab.topology.nodes:
        reads = (*READS, CONNECTIONS) if node.gateway else READS
        text = lab.check(node.name, ["sh", "-c", "; ".join(reads)])
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        # The order of a set's members and the counters of a chain mean nothing.
        found[node.name] = sorted(re.sub(r"\[\d+:\d+\]", "", line) for line in lines)
    return found


def assert_same_state(lab: Lab, before: dict[str, list[str]]) -> None:
    """Nothing is there that was not there *before*, and nothing is missing."""
    after = host_state(lab)
    changed = {node: sorted(set(before[node]) ^ set(after[node])) for node in before}
    assert not any(changed.values()), changed

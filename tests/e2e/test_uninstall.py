"""A node after Isthmus is the node before Isthmus, to the letter."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

import pytest

from isthmus.lab import clusterset
from isthmus.lab import lab as labs
from isthmus.lab.lab import Lab
from isthmus.lab.topology import default_topology
from tests.e2e.test_restarts import without_comments

NAME = "e2eleave"
QUESTIONS = {
    "links": ["ip", "-d", "link"],
    "addresses": ["ip", "address"],
    "routes": ["ip", "route", "show", "table", "all"],
    "routes (IPv6)": ["ip", "-6", "route", "show", "table", "all"],
    "rules": ["ip", "-d", "rule"],
    "neighbours that somebody set": ["ip", "neighbour", "show", "nud", "permanent"],
    "iptables": ["iptables-save"],
    "iptables-legacy": ["iptables-legacy-save"],
    "ip6tables": ["ip6tables-save"],
    "ipsets": ["ipset", "save"],
    "sysctls": ["sysctl", "-a", "-r", r"^net\.ipv[46]\.(conf|ip_forward)"],
    "IPsec policies": ["ip", "xfrm", "policy"],
    "IPsec states": ["ip", "xfrm", "state"],
    "files": ["find", "/run", "-xdev", "-not", "-path", "/run/isthmus-lab*", "-not", "-name", "xtables.lock"],
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    labs.down(print, NAME)
    yield labs.up(default_topology(), print, NAME)
    labs.down(print, NAME)


TIMER = re.compile(r"(\w*timer) +[\d.]+")
"""A bridge shows its running timers."""


def portrait(lab: Lab, node: str) -> dict[str, list[str]]:
    """All that a node holds, as text, but for what counts packets or time."""
    return {
        title: [TIMER.sub(r"\1", line) for line in without_comments(lab.check(node, command))]
        for title, command in QUESTIONS.items()
    }


def test_after_leaving_every_node_is_what_it_was_before(lab: Lab) -> None:
    nodes = [node.name for node in lab.topology.nodes]
    units = {node: set(lab.machine(node).running()) for node in nodes}
    before = {node: portrait(lab, node) for node in nodes}

    clusterset.join_all(lab, print)
    during = {node: portrait(lab, node) for node in nodes}
    for cluster in ("west", "east"):
        clusterset.leave(lab, cluster, print)
    after = {node: portrait(lab, node) for node in nodes}

    for node in nodes:
        assert during[node] != before[node]
        for title in QUESTIONS:
            difference = "\n".join(
                difflib.unified_diff(before[node][title], after[node][title], lineterm="", n=0)
            )
            assert not difference, f"{title} of {node} differ:\n{difference}"
        assert set(lab.machine(node).running()) == units[node]
    for cluster in ("east", "west"):
        namespaces = lab.kubectl(cluster, "get", "namespaces", "-o", "name").split()
        assert "namespace/submariner-operator" not in namespaces
        labelled = lab.kubectl(cluster, "get", "nodes", "-l", "submariner.io/gateway", "-o", "name")
        assert labelled.strip() == ""

"""The TCP MSS that fits the way through overlay and tunnel, in both directions.

Path MTU discovery would find it too, but one lost or filtered ICMP message stalls a connection for ever.
"""

from __future__ import annotations

from crds.meta import Family, ObjectRef, Rejection
from crds.node import Node
from isthmus.dataplane.ruleset import ClampMss, Match, Rule, SetMss
from routeagent.plan.sets import set_names
from routeagent.snapshot import Snapshot

ANNOTATION = "submariner.io/tcp-clamp-mss"
"""Node annotation with a fixed MSS in bytes, for paths that swallow ICMP (Submariner's name for it)."""

SMALLEST, LARGEST = 216, 65_495
"""A path of 576 bytes less the longest headers with options (360), and 65,535 less two plain headers."""


def plan_mss(snapshot: Snapshot, family: Family) -> tuple[Rule, ...]:
    """Clamp towards remote subnets, also the host's own connections, and from them."""
    names = set_names(family)
    fixed = _fixed(_own_node(snapshot))
    action = ClampMss() if fixed is None else SetMss(fixed)
    return (
        Rule(
            Match(destination=names.remote, protocol="tcp", tcp_syn=True),
            action,
            "segments towards other clusters fit the tunnel",
        ),
        Rule(
            Match(source=names.remote, destination=names.local, protocol="tcp", tcp_syn=True),
            action,
            "segments from other clusters fit the tunnel",
        ),
    )


def mss_rejections(snapshot: Snapshot) -> tuple[Rejection, ...]:
    """What is wrong with the annotation, if anything; the path's MTU is used then."""
    node = _own_node(snapshot)
    text = node.annotation(ANNOTATION) if node else None
    if node is None or text is None or _fixed(node) is not None:
        return ()
    reason = (
        f"{text[:40]!r} is not an MSS: write a number from {SMALLEST} to {LARGEST}, or remove "
        "the annotation; until then the MSS follows the path's MTU"
    )
    return (
        Rejection(
            ObjectRef("Node", "", node.name, node.ref.uid), f"metadata.annotations[{ANNOTATION}]", reason
        ),
    )


def _own_node(snapshot: Snapshot) -> Node | None:
    return next((node for node in snapshot.nodes if node.name == snapshot.node), None)


def _fixed(node: Node | None) -> int | None:
    text = node.annotation(ANNOTATION) if node else None
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 5):
        return None
    return int(text) if SMALLEST <= int(text) <= LARGEST else None

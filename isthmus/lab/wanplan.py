"""What must the WAN router hold for its links to be cut, slow or lossy? Pure.

Every packet between two sites enters the router from one site's device and is bound for the other's network;
that pair, in both directions, is the link. A cut link is a blackhole rule. A slow or lossy one is netem on
the way out where the kernel has it, and otherwise a rule that sends its packets through a delay line's TUN.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from crds.meta import Family, IPNetwork

CUT_PRIORITY = 1000
LINE_PRIORITY = 2000
"""The first of a range each: a link's number is added. Both ranges lie behind `local` and before `main`."""
MOST_LINKS = 900
MOST_NETEM_LINKS = 14
"""Links of one site that netem can shape apart: a prio qdisc has 16 bands."""

BLACKHOLE = "blackhole"
_BLACKHOLE_ACTIONS = (BLACKHOLE, "6")  # `ip -N` prints the action's number


@dataclass(frozen=True, slots=True, order=True)
class LinkEnd:
    """One site as the router sees it: the device towards it and the networks behind that."""

    site: str
    device: str
    networks: tuple[IPNetwork, ...]


@dataclass(frozen=True, slots=True, order=True)
class WanLink:
    """The way between two sites; `number` is its own among the lab's links."""

    number: int
    first: LinkEnd
    second: LinkEnd

    @property
    def tun(self) -> str:
        """Name of its delay line's device."""
        return f"line{self.number}"

    @property
    def table(self) -> int:
        """The routing table that leads into its delay line."""
        return LINE_PRIORITY + self.number


@dataclass(frozen=True, slots=True)
class LinkState:
    """What is done to a link, in both directions alike: delay one way in milliseconds, loss in percent."""

    cut: bool = False
    delay_ms: float = 0.0
    loss_percent: float = 0.0

    @property
    def shaped(self) -> bool:
        return self.delay_ms > 0 or self.loss_percent > 0

    def __str__(self) -> str:
        if self.cut:
            return "cut"
        return f"{self.delay_ms:g} ms one way, {self.loss_percent:g} % loss" if self.shaped else "clear"


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One policy rule of the router: what comes in from *device* for *destination* is treated so."""

    priority: int
    device: str
    destination: IPNetwork
    target: str
    """`blackhole`, or a routing table's number as text."""

    @property
    def family(self) -> Family:
        return 4 if self.destination.version == 4 else 6


def links_between(ends: Sequence[LinkEnd]) -> tuple[WanLink, ...]:
    """Return the links of a WAN on which every two sites meet; numbers follow the order of the sites."""
    return tuple(
        WanLink(number, first, second)
        for number, (first, second) in enumerate(itertools.combinations(ends, 2))
    )


def plan_rules(links: Mapping[WanLink, LinkState], *, netem: bool) -> frozenset[Rule]:
    """Return every rule that the router must hold of ours; with *netem* delay and loss need none."""
    wanted: set[Rule] = set()
    for link, state in links.items():
        if state.cut:
            wanted |= _both_ways(link, CUT_PRIORITY, BLACKHOLE)
        if state.shaped and not netem:
            wanted |= _both_ways(link, LINE_PRIORITY, str(link.table))
    return frozenset(wanted)


def _both_ways(link: WanLink, priority: int, target: str) -> set[Rule]:
    return {
        Rule(priority + link.number, source.device, network, target)
        for source, destination in ((link.first, link.second), (link.second, link.first))
        for network in destination.networks
    }


def parse_rules(text: str) -> frozenset[Rule]:
    """Read our rules from `ip -json -N rule show`; whatever else stands there is left out."""
    found: set[Rule] = set()
    for item in json.loads(text or "[]"):
        priority = item.get("priority", 0)
        if not CUT_PRIORITY <= priority < LINE_PRIORITY + MOST_LINKS or "iif" not in item:
            continue
        destination = ip_network(f"{item['dst']}/{item['dstlen']}" if "dstlen" in item else item["dst"])
        target = BLACKHOLE if item.get("action") in _BLACKHOLE_ACTIONS else str(item.get("table", ""))
        found.add(Rule(priority, item["iif"], destination, target))
    return frozenset(found)


def render_rule_changes(wanted: frozenset[Rule], present: frozenset[Rule], family: Family) -> str:
    """Return the `ip -batch` lines that lead from *present* to *wanted*, additions first."""
    added = sorted(rule for rule in wanted - present if rule.family == family)
    removed = sorted(rule for rule in present - wanted if rule.family == family)
    lines = [f"rule add {_render(rule)}" for rule in added] + [
        f"rule del {_render(rule)}" for rule in removed
    ]
    return "".join(f"{line}\n" for line in lines)


def _render(rule: Rule) -> str:
    action = rule.target if rule.target == BLACKHOLE else f"lookup {rule.target}"
    return f"iif {rule.device} to {rule.destination} priority {rule.priority} {action}"


def render_netem(links: Mapping[WanLink, LinkState], devices: Iterable[str]) -> str:
    """Return `tc -batch` lines that shape every device anew; all devices must have been cleared before."""
    lines: list[str] = []
    for device in devices:
        shaped = [
            (source, state)
            for link, state in sorted(links.items(), key=lambda pair: pair[0])
            if state.shaped
            for source, target in ((link.first, link.second), (link.second, link.first))
            if target.device == device
        ]
        if shaped:
            lines += _render_device(device, shaped)
    return "".join(f"{line}\n" for line in lines)


def _render_device(device: str, shaped: list[tuple[LinkEnd, LinkState]]) -> list[str]:
    # Band 0 takes what no filter claims: priomap sends every priority there.
    lines = [f"qdisc add dev {device} root handle 1: prio bands 16 priomap {' '.join(['0'] * 16)}"]
    for band, (source, state) in enumerate(shaped, start=2):
        lines.append(
            f"qdisc add dev {device} parent 1:{band:x} handle {band:x}0: netem limit 100000 "
            f"delay {state.delay_ms:g}ms loss {state.loss_percent:g}%"
        )
        for network in source.networks:
            protocol, match = ("ip", "ip") if network.version == 4 else ("ipv6", "ip6")
            priority = band * 2 + (network.version == 6)
            lines.append(
                f"filter add dev {device} parent 1: protocol {protocol} prio {priority} u32 "
                f"match {match} src {network} flowid 1:{band:x}"
            )
    return lines

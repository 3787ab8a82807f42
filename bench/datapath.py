"""Throughput and round trip: through Isthmus, through the same strongSwan by hand, and in the clear.

All three in one lab and in one run, taking turns (A B C A B C), so that what else the machine does meets all
alike; ratios are formed turn by turn. From gateway Pod to gateway Pod the IPsec hop is alone; from worker to
worker the overlay inside each cluster comes on top.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from bench import byhand, processes
from bench.byhand import Comparison
from bench.figures import median, parse_ping_times, percentile, ratio
from bench.result import Result, at_least, at_most, shown
from isthmus.lab import process

TURNS = 5
SECONDS = 2
PING_TURNS = 6
PINGS = 100
PING_INTERVAL = 0.004
ROLES = ("worker", "gateway")
WAYS = {"isthmus": byhand.OWN, "by hand": byhand.BYHAND, "clear": byhand.CLEAR}
PORT = 5201

Key = tuple[str, str]
"""A way and a role."""


@dataclass(frozen=True, slots=True)
class Samples:
    """By way and role, one entry per turn: Mbit/s, CPU seconds of both charons per gigabit, RTTs in ms."""

    throughput: dict[Key, list[float]]
    charon_cpu: dict[Key, list[float]]
    round_trips: dict[Key, list[list[float]]]


def measure(comparison: Comparison, say: Callable[[str], None]) -> list[Result]:
    """Run all turns; *comparison* must be built and the lab's clusters connected."""
    samples = Samples(defaultdict(list), defaultdict(list), defaultdict(list))
    _start_servers(comparison)
    for turn in range(TURNS):
        for way, role in _order(turn):
            _transfer(comparison, (way, role), samples)
        say(f"throughput, turn {turn + 1} of {TURNS}: {_latest(samples.throughput)} Mbit/s")
    for turn in range(PING_TURNS):
        for way, role in _order(turn):
            samples.round_trips[way, role].append(_ping(comparison, way, role))
    say(f"round trips: {PING_TURNS} turns of {PINGS} pings each")
    return [result for role in ROLES for result in summarise(samples, role)]


def _order(turn: int) -> list[Key]:
    """Who comes when: another one begins in each turn, since whoever follows the clear text may suffer."""
    ways = list(WAYS)
    start = turn % len(ways)
    return [(way, role) for role in ROLES for way in ways[start:] + ways[:start]]


def summarise(samples: Samples, role: str) -> list[Result]:
    """Figures of one kind of path."""
    path = f"{role} to {role}"
    speed = {way: samples.throughput[way, role] for way in WAYS}
    trips = {way: samples.round_trips[way, role] for way in WAYS}
    medians = {way: [median(turn) for turn in turns] for way, turns in trips.items()}
    worst = {way: percentile([each for turn in turns for each in turn], 99) for way, turns in trips.items()}
    hand = "the same strongSwan by hand"
    return [
        *(shown(f"TCP {path}, {way}", median(speed[way]), "Mbit/s", "") for way in WAYS),
        at_least(
            f"TCP {path}, isthmus / by hand", ratio(speed["isthmus"], speed["by hand"]), "ratio", 0.9, hand
        ),
        shown(f"TCP {path}, isthmus / clear", ratio(speed["isthmus"], speed["clear"]), "ratio", "clear text"),
        *_cpu(samples, role),
        *(shown(f"RTT {path}, {way}", median(medians[way]), "ms", "median") for way in WAYS),
        *(shown(f"RTT {path}, {way}, p99", worst[way], "ms", "99th percentile") for way in WAYS),
        at_most(
            f"RTT {path}, isthmus / by hand",
            ratio(medians["isthmus"], medians["by hand"]),
            "ratio",
            1.15,
            hand,
        ),
        shown(
            f"RTT {path}, isthmus / clear", ratio(medians["isthmus"], medians["clear"]), "ratio", "clear text"
        ),
    ]


def _cpu(samples: Samples, role: str) -> list[Result]:
    ours, theirs = samples.charon_cpu["isthmus", role], samples.charon_cpu["by hand", role]
    if not any(theirs):
        return []  # ESP in the kernel: charon takes no part in it
    name = f"charon CPU per Gbit {role} to {role}"
    return [
        shown(f"{name}, isthmus", median(ours), "s CPU", "both ends"),
        at_most(
            f"{name}, isthmus / by hand", ratio(ours, theirs), "ratio", 1.1, "the same strongSwan by hand"
        ),
    ]


def _latest(throughput: dict[Key, list[float]]) -> str:
    return ", ".join(f"{way} {role} {values[-1]:.0f}" for (way, role), values in throughput.items())


def _start_servers(comparison: Comparison) -> None:
    log = comparison.lab.paths.directory / "bench" / "iperf3.log"
    for role, (_, there) in product(ROLES, WAYS.values()):
        inside = ["ip", "netns", "exec", comparison.pod_namespace(there, role)]
        process.spawn([*inside, "iperf3", "--server", "--port", str(PORT)], log=log)
    time.sleep(0.5)


def _transfer(comparison: Comparison, key: Key, samples: Samples) -> None:
    (here, there), role = WAYS[key[0]], key[1]
    gateways = [comparison.lab.paths.namespace(f"{name}-gateway") for name in (here, there)]
    charons = [pid for name in gateways for pid in processes.inside(name, "charon-systemd")]
    address = str(comparison.pod(there, role).address)
    before = processes.cpu_seconds(charons)
    words = ["iperf3", "--client", address, "--port", str(PORT), "--time", str(SECONDS), "--json"]
    said = json.loads(process.check(_in_pod(comparison, here, role, words)))
    spent = processes.cpu_seconds(charons) - before
    received = said["end"]["sum_received"]
    samples.throughput[key].append(received["bits_per_second"] / 1e6)
    samples.charon_cpu[key].append(spent / (received["bytes"] * 8 / 1e9))


def _ping(comparison: Comparison, way: str, role: str) -> list[float]:
    here, there = WAYS[way]
    address = str(comparison.pod(there, role).address)
    words = ["ping", "-n", "-c", str(PINGS), "-i", str(PING_INTERVAL), "-W", "1", address]
    return parse_ping_times(process.run(_in_pod(comparison, here, role, words)).stdout)


def _in_pod(comparison: Comparison, cluster: str, role: str, words: Sequence[str]) -> list[str]:
    return ["ip", "netns", "exec", comparison.pod_namespace(cluster, role), *words]

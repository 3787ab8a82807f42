"""One Endpoint changes among a thousand clusters: what does it cost the daemons, and how much do they write?

Everything is planned from nothing in every pass, so the time to plan is the price of the design; the goal is
100 ms of CPU. Written must be nothing but the difference, on the fakes and in a real kernel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import gatewayscale, world
from bench.result import Result, at_most, exactly, shown
from bench.spent import cpu, median_ms
from isthmus.dataplane.command import SystemCommand
from isthmus.dataplane.iptables.kernel import kernel_packet_filter
from isthmus.dataplane.netlink import kernel_netlink
from isthmus.dataplane.ownership import ROUTE_PROTOCOL
from isthmus.dataplane.sysctl import KernelSysctl, OriginalsFile
from isthmus.reconcile.delta import diff
from routeagent.apply import Applied, Host, apply_plan
from routeagent.plan.node import NodePlan
from tests.fakes.netlink import FakeKernel, fake_netlink
from tests.fakes.packetfilter import FakePacketFilter
from tests.fakes.sysctl import FakeOriginals, FakeSysctl
from tests.netns import private_namespace, run

REPETITIONS = 9
GOAL_MS = 100
ISSUE = "1 changed Endpoint, 1,000 clusters x 4 subnets"


@dataclass(frozen=True, slots=True)
class Change:
    """A node's plans before and after."""

    before: NodePlan
    after: NodePlan

    @property
    def size(self) -> int:
        """How many routes and set entries differ: the fewest writes possible."""
        routes = diff(world.keyed_routes(self.after), world.keyed_routes(self.before))
        entries = diff(world.keyed_entries(self.after), world.keyed_entries(self.before))
        return routes.size + entries.size


def measure(say: Callable[[str], None]) -> list[Result]:
    """Run all of it; needs root for the kernel's part, which happens in a namespace of its own."""
    results: list[Result] = []
    for role in ("worker", "gateway"):
        results += _plan_time(role)
        say(f"route agent on a {role}: planned")
        results += asyncio.run(_writes(role))
        say(f"route agent on a {role}: written")
    results += gatewayscale.measure()
    say("gateway: planned and written")
    return results


def _change(role: str) -> Change:
    before = world.world()
    after = world.changed(before)
    plans = [world.plan(each.membership(), gateway=role == "gateway") for each in (before, after)]
    return Change(*plans)


def _plan_time(role: str) -> list[Result]:
    after = world.changed(world.world())
    held = _change(role).before
    routes, entries = world.keyed_routes(held), world.keyed_entries(held)

    def work() -> None:
        planned = world.plan(after.membership(), gateway=role == "gateway")
        diff(world.keyed_routes(planned), routes)
        diff(world.keyed_entries(planned), entries)

    name = f"route agent ({role}): judge, plan and compare"
    return [at_most(name, median_ms(work, REPETITIONS), "ms CPU", GOAL_MS, ISSUE)]


async def _writes(role: str) -> list[Result]:
    change = _change(role)
    fake = await _apply_both(_fake_host(change), change)
    with TemporaryDirectory() as state, private_namespace():
        _make_devices()
        async with kernel_netlink() as netlink:
            packet_filter = kernel_packet_filter(SystemCommand(), 4, "nft")
            host = Host(netlink, packet_filter, KernelSysctl(), OriginalsFile(Path(state) / "originals.json"))
            real = await _apply_both(host, change)
    name = f"route agent ({role})"
    return [
        exactly(f"{name}: writes on the fakes", fake.writes, "writes", change.size, "the difference"),
        exactly(f"{name}: writes in the kernel", real.writes, "writes", change.size, "the difference"),
        exactly(f"{name}: writes of a pass without news", real.idle, "writes", 0, "nothing"),
        shown(f"{name}: whole pass without news", real.idle_ms, "ms CPU all", "read back and compare"),
        shown(f"{name}: whole pass with the change", real.change_ms, "ms CPU all", "read back and write"),
    ]


@dataclass(frozen=True, slots=True)
class _Cost:
    writes: int
    change_ms: float
    idle: int
    idle_ms: float


async def _apply_both(host: Host, change: Change) -> _Cost:
    _checked(await apply_plan(host, change.before))
    # A new link brings its settings into being, which the first pass cannot know of.
    _checked(await apply_plan(host, change.before))
    start = cpu()
    idle = _checked(await apply_plan(host, change.before))
    between = cpu()
    written = _checked(await apply_plan(host, change.after))
    return _Cost(written, (cpu() - between) * 1000, idle, (between - start) * 1000)


def _checked(applied: Applied) -> int:
    """The number of writes of a pass in which nothing failed."""
    failures = [str(error) for outcome in applied.outcomes for error in outcome.failures]
    if failures or applied.waiting:
        raise RuntimeError(f"the pass did not succeed: {failures[:3]}, waiting for {applied.waiting}")
    return sum(outcome.writes for outcome in applied.outcomes)


def _fake_host(change: Change) -> Host:
    """The kernel in memory with the routes in it already: adding them one by one takes it minutes."""
    kernel = FakeKernel()
    for device in ("eth0", "cni0", world.DEVICE):
        kernel.add_device(device)
    kernel.add_address("cni0", f"{world.CNI}/24")
    for route in change.before.routes:
        kernel.add_route(route, ROUTE_PROTOCOL)
    sysctl = FakeSysctl(dict.fromkeys(_settings(), "0"))
    return Host(fake_netlink(kernel), FakePacketFilter(), sysctl, FakeOriginals())


def _settings() -> set[str]:
    return {key for role in ("worker", "gateway") for key, _ in _change(role).before.settings}


def _make_devices() -> None:
    for device in ("eth0", "cni0", world.DEVICE):
        run("ip", "link", "add", device, "type", "veth", "peer", "name", f"{device}-far")
        run("ip", "link", "set", device, "up")
    for address in (world.OWN_GATEWAY, world.WORKER_ADDRESS):
        run("ip", "address", "add", f"{address}/24", "dev", "eth0")
    run("ip", "address", "add", f"{world.CNI}/24", "dev", "cni0")

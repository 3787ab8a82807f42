"""The program `isthmus-routeagent` in a private namespace, started, stopped and killed from outside."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from isthmus.dataplane.command import SystemCommand
from isthmus.dataplane.iptables.kernel import kernel_packet_filter
from isthmus.dataplane.netlink import kernel_netlink
from isthmus.dataplane.sysctl import KernelSysctl, OriginalsFile
from routeagent.__main__ import ORIGINALS
from routeagent.apply import Host, apply_plan
from routeagent.plan.node import plan_node
from tests.kernel.test_routeagent import held, node
from tests.unit.routeagent.test_config import COMPLETE
from tests.unit.routeagent.worlds import WORKER, own, west, world

pytestmark = pytest.mark.root

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: away
contexts: [{name: away, context: {cluster: away, user: me}}]
clusters: [{name: away, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: me, user: {token: nothing}}]
"""

__all__ = ["node"]


@contextmanager
def program(directory: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The program in the thread's namespace, with an API server that is away."""
    kubeconfig = directory / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    variables = {**COMPLETE, "ISTHMUS_KUBECONFIG": str(kubeconfig), "ISTHMUS_STATE_DIR": str(directory)}
    with subprocess.Popen(
        [sys.executable, "-m", "routeagent", *arguments],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(Path.cwd()), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


async def apply(directory: Path) -> None:
    """Leave on the node what an agent would have left there."""
    async with kernel_netlink() as netlink:
        packet_filter = kernel_packet_filter(SystemCommand(), 4, "nft")
        host = Host(netlink, packet_filter, KernelSysctl(), OriginalsFile(directory / ORIGINALS))
        applied = await apply_plan(host, plan_node(world(WORKER, west(), local=own()), 4))
    assert [error for outcome in applied.outcomes for error in outcome.failures] == []


def read_until(process: subprocess.Popen[str], word: str) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return lines
    raise AssertionError(f"the program ended without saying {word!r}: {lines}")


def test_an_api_server_that_is_away_changes_nothing_and_ends_nothing(node, tmp_path):
    asyncio.run(apply(tmp_path))
    before = held()

    with program(tmp_path) as process:
        read_until(process, "watch_failed")
        time.sleep(2)
        running = process.poll() is None
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=20)

    assert (running, code) == (True, 0)
    assert held() == before


def test_uninstall_removes_everything_and_says_what_it_could_not_reach(node, tmp_path):
    before = held()
    asyncio.run(apply(tmp_path))

    with program(tmp_path, "--uninstall") as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 0, output
    assert "node_cleaned" in output
    assert "route_agent_object_left" in output
    assert held() == before
    assert not (tmp_path / ORIGINALS).exists()


def test_a_variable_asks_for_the_removal_as_well(node, tmp_path, monkeypatch):
    asyncio.run(apply(tmp_path))
    monkeypatch.setitem(COMPLETE, "SUBMARINER_UNINSTALL", "true")

    with program(tmp_path) as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 0, output
    assert "node_cleaned" in output

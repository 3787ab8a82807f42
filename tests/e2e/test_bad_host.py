"""Trouble on a node: what is missing or in the way is told, nothing else suffers, all heals by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from isthmus.lab import charon
from isthmus.lab.kubelet import GATEWAY, ROUTE_AGENT
from isthmus.lab.lab import Lab
from isthmus.lab.process import Completed
from isthmus.lab.supervisor import parse_unit
from tests.e2e.breaking import restart
from tests.e2e.flows import target
from tests.e2e.hoststate import assert_same_state, host_state
from tests.e2e.patience import eventually
from tests.e2e.seen import MEMBERS
from tests.e2e.steady import steady_flow
from tests.e2e.told import await_failure, await_well, reports

LINK = "vx-submariner"


@pytest.fixture(autouse=True)
def all_ends_well(bad_lab: Lab) -> Iterator[None]:
    await_well(bad_lab, *MEMBERS)
    yield
    await_well(bad_lab, *MEMBERS)


@contextmanager
def unharmed(lab: Lab, tmp_path: Path, place: str, address: str) -> Iterator[None]:
    with steady_flow(lab, place, address, tmp_path / "ping.log") as flow, flow.unharmed():
        yield


def as_nobody(lab: Lab, node: str, daemon: str) -> Completed:
    """Run a daemon once more, with all that it has on its node but root's rights."""
    unit = parse_unit((lab.machine(node).directory / "units" / f"{daemon}.json").read_text())
    place = unit.argv.index(daemon) + 2
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    environment = [f"{key}={value}" for key, value in unit.env.items()]
    return lab.run(node, ["env", *environment, *unit.argv[:place], *drop, *unit.argv[place:]], timeout=20)


@pytest.mark.parametrize("daemon", [GATEWAY, ROUTE_AGENT])
def test_a_daemon_without_root_says_so_in_one_line(bad_lab: Lab, daemon: str) -> None:
    done = as_nobody(bad_lab, "west-gateway", daemon)

    assert done.status == 2
    (line,) = (done.stdout + done.stderr).splitlines()
    assert "run it as root" in json.loads(line)["reason"]


def test_a_missing_vici_socket_is_named_and_the_tunnel_comes_back_with_it(
    bad_lab: Lab, tmp_path: Path
) -> None:
    machine = bad_lab.machine("west-gateway")
    unit = parse_unit((machine.directory / "units" / f"{charon.NAME}.json").read_text())
    inside = target(bad_lab, "west", "worker", "Pod IP").address
    with unharmed(bad_lab, tmp_path, "west/web-gateway", inside):
        machine.drop(charon.NAME)
        try:
            await_failure(bad_lab, "west", f"{charon.RUN_DIRECTORY}/charon.vici", "strongSwan")
            eventually(lambda: assert_connections_name(bad_lab, "charon.vici"))

            restart(bad_lab, "west-gateway", GATEWAY)

            await_failure(bad_lab, "west", f"{charon.RUN_DIRECTORY}/charon.vici", "strongSwan")
        finally:
            machine.put(charon.NAME, unit)
        await_well(bad_lab, *MEMBERS)


def assert_connections_name(lab: Lab, trouble: str) -> None:
    (gateway,) = (report for report in reports(lab, "west") if report.kind == "Gateway")
    assert [word.status for word in gateway.words] == ["error"], gateway
    assert trouble in gateway.words[0].message


def test_a_held_xtables_lock_keeps_nothing_from_healing(bad_lab: Lab, tmp_path: Path) -> None:
    between_gateways = target(bad_lab, "east", "gateway", "Pod IP").address
    # -o: the lock ends with flock itself, whose number is printed.
    hold = "flock -o /run/xtables.lock sleep 60 >/dev/null 2>&1 & echo $!"
    before = host_state(bad_lab)
    with unharmed(bad_lab, tmp_path, "west/web-gateway", between_gateways):
        holder = bad_lab.check("west-worker", ["sh", "-c", hold])
        try:
            bad_lab.check(
                "west-worker", ["sh", "-c", "ip route flush proto 150; iptables -t mangle -F POSTROUTING"]
            )
            eventually(lambda: assert_same_state(bad_lab, before))
            restart(bad_lab, "west-worker", ROUTE_AGENT)
            await_well(bad_lab, "west")
        finally:
            bad_lab.run("west-worker", ["kill", holder.strip()])


def test_a_foreign_interface_in_the_way_is_named_and_left_alone(bad_lab: Lab, tmp_path: Path) -> None:
    between_gateways = target(bad_lab, "east", "gateway", "Pod IP").address
    swap = f"link delete {LINK}\nlink add {LINK} type bridge\n"
    with unharmed(bad_lab, tmp_path, "west/web-gateway", between_gateways):
        bad_lab.check("west-worker", ["sh", "-c", f"printf '{swap}' | ip -batch -"])
        try:
            eventually(lambda: assert_in_the_way(bad_lab))
            shown = json.loads(bad_lab.check("west-worker", ["ip", "-d", "-json", "link", "show", LINK]))
            assert shown[0]["linkinfo"]["info_kind"] == "bridge"
        finally:
            bad_lab.check("west-worker", ["ip", "link", "delete", LINK])
        await_well(bad_lab, *MEMBERS)


def assert_in_the_way(lab: Lab) -> None:
    told = [report.failure for report in reports(lab, "west") if report.node == "west-worker"]
    assert any(LINK in failure and "in the way" in failure for failure in told), told

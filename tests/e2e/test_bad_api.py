"""Trouble with a cluster's own API server: tunnel and daemons stay, it is told, it ends by itself."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from isthmus.lab import clusterset, controlplane, process, state
from isthmus.lab.kubelet import ACCOUNTS, GATEWAY, NAMESPACE, ROUTE_AGENT
from isthmus.lab.lab import Lab
from isthmus.lab.state import MARK
from tests.e2e.breaking import restart, send
from tests.e2e.patience import eventually
from tests.e2e.seen import MEMBERS
from tests.e2e.steady import Steady
from tests.e2e.told import await_well, reports

PORTS = {GATEWAY: 32780, ROUTE_AGENT: 32782}


@pytest.fixture(autouse=True)
def tunnel_stays_and_all_ends_well(bad_lab: Lab, flow: Steady) -> Iterator[None]:
    with flow.unharmed():
        yield
        await_well(bad_lab, *MEMBERS)


@contextmanager
def api_away(lab: Lab, cluster: str) -> Iterator[None]:
    """Kill the API server of *cluster*, and start it again with the same arguments."""
    plane = lab.plane(cluster)
    pid = api_server(lab, cluster)
    argv = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    process.kill_all([pid])
    try:
        yield
    finally:
        process.spawn(
            ["ip", "netns", "exec", lab.paths.namespace(cluster), *argv],
            log=lab.paths.log(cluster, "kube-apiserver"),
            env={MARK: lab.paths.name, "GOGC": "40"},
        )
        controlplane.wait_ready(plane)


def api_server(lab: Lab, cluster: str) -> int:
    key = f"--advertise-address={lab.plane(cluster).address}"
    found = []
    for pid in state.processes(lab.paths):
        argv = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        if argv[0].endswith("/kube-apiserver") and key in argv:
            found.append(pid)
    (pid,) = found
    return pid


def assert_not_ready(lab: Lab, node: str, daemon: str, *fragments: str) -> None:
    """The daemon lives, and its readiness page names the trouble."""
    url = f"http://127.0.0.1:{PORTS[daemon]}"
    told = lab.run(node, ["curl", "-sS", "--noproxy", "*", f"{url}/readyz"])
    assert all(fragment in told.stdout for fragment in fragments), told
    assert lab.run(node, ["curl", "-sS", "--noproxy", "*", f"{url}/healthz"]).stdout == "ok\n"


def test_an_api_server_away_while_the_daemons_run_and_when_they_start(bad_lab: Lab) -> None:
    with api_away(bad_lab, "west"):
        shown = clusterset.cli(bad_lab, "show", "gateways", "--context", "west")
        assert shown.status == 1
        assert "no connection" in shown.stderr
        for daemon in (GATEWAY, ROUTE_AGENT):
            logged = partial(assert_logged, bad_lab, "west-gateway", daemon)
            eventually(partial(logged, "watch_failed", "no connection"))

        restart(bad_lab, "west-gateway", GATEWAY)
        restart(bad_lab, "west-worker", ROUTE_AGENT)

        eventually(lambda: assert_not_ready(bad_lab, "west-gateway", GATEWAY, "not read yet", "endpoints"))
        eventually(lambda: assert_not_ready(bad_lab, "west-worker", ROUTE_AGENT, "no connection"))


def test_an_api_server_that_hangs(bad_lab: Lab, flow: Steady) -> None:
    pid = api_server(bad_lab, "west")
    os.kill(pid, signal.SIGSTOP)
    try:
        restart(bad_lab, "west-worker", ROUTE_AGENT)
        eventually(lambda: assert_not_ready(bad_lab, "west-worker", ROUTE_AGENT, "not read yet"))
        flow.next_answer()
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("kind", ["gateways", "routeagents"])
def test_a_missing_definition_of_what_is_only_reported(bad_lab: Lab, kind: str) -> None:
    name = f"{kind}.submariner.io"
    definition = json.loads(bad_lab.kubectl("west", "get", "crd", name, "-o", "json"))
    daemon = GATEWAY if kind == "gateways" else ROUTE_AGENT
    bad_lab.kubectl("west", "delete", "crd", name)
    try:
        if daemon == ROUTE_AGENT:
            # It writes only news, and that is what its first status is.
            restart(bad_lab, "west-gateway", daemon)
        starts = bad_lab.machine("west-gateway").running()[daemon]["starts"]
        eventually(lambda: assert_logged(bad_lab, "west-gateway", daemon, name, "install Isthmus' Custom"))
        assert bad_lab.machine("west-gateway").running()[daemon]["starts"] == starts
    finally:
        metadata = {"name": name, "labels": definition["metadata"].get("labels", {})}
        send(bad_lab, "west", definition | {"metadata": metadata, "status": {}}, "create")


def assert_logged(lab: Lab, node: str, daemon: str, *texts: str) -> None:
    """One of the daemon's last lines holds all of *texts*."""
    lines = lab.paths.log(node, daemon).read_text(encoding="utf-8").splitlines()[-10:]
    assert any(all(text in line for text in texts) for line in lines), lines[-3:]


@pytest.mark.parametrize(("daemon", "kind"), [(GATEWAY, "Gateway"), (ROUTE_AGENT, "RouteAgent")])
def test_a_missing_verb_is_named_with_the_account(bad_lab: Lab, daemon: str, kind: str) -> None:
    account = ACCOUNTS[daemon]
    role = json.loads(bad_lab.kubectl("west", "-n", NAMESPACE, "get", "role", account, "-o", "json"))
    less = [
        rule | {"verbs": [verb for verb in rule["verbs"] if verb != "list"]}
        if "endpoints" in rule["resources"]
        else rule
        for rule in role["rules"]
    ]
    role["metadata"] = {key: role["metadata"][key] for key in ("name", "namespace", "labels")}
    send(bad_lab, "west", role | {"rules": less}, "replace")
    try:
        restart(bad_lab, "west-gateway", daemon)
        eventually(lambda: assert_forbidden(bad_lab, kind, account))
    finally:
        send(bad_lab, "west", role, "replace")


def assert_forbidden(lab: Lab, kind: str, account: str) -> None:
    told = [report for report in reports(lab, "west") if (report.kind, report.node) == (kind, "west-gateway")]
    failures = [report.failure for report in told]
    assert any(
        "cannot list" in text and account in text and "grant the account" in text for text in failures
    ), told

"""A node seen through its directory; the supervisor's side is written by hand. Real nodes: tests/lab."""

from __future__ import annotations

import json
import os

import pytest

from isthmus.lab import process, state
from isthmus.lab.node import Machine
from isthmus.lab.state import LabPaths
from isthmus.lab.supervisor import Unit, parse_unit
from isthmus.reconcile.errors import Fatal

UNIT = Unit(("sleep", "9"), "/log", {})


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "RUN", tmp_path)
    made = Machine(LabPaths("blue"), "east-worker")
    (made.directory / "units").mkdir(parents=True)
    return made


def test_a_unit_is_put_whole_and_taken_away(machine):
    path = machine.directory / "units" / "web.json"

    machine.put("web", UNIT)
    assert parse_unit(path.read_text()) == UNIT
    assert list(path.parent.glob("*.new")) == []
    machine.drop("web")

    assert not path.exists()
    machine.drop("web")


def test_what_runs_is_what_the_supervisor_reports(machine):
    assert machine.running() == {}

    (machine.directory / "running.json").write_text(json.dumps({"web": {"pid": 8, "starts": 2}}))

    assert machine.running() == {"web": {"pid": 8, "starts": 2}}


def test_a_node_that_is_not_running_says_what_to_do(machine):
    assert not machine.alive()

    with pytest.raises(Fatal, match="east-worker is not running"):
        machine.enter(["true"])


def test_a_holder_without_children_is_no_node(machine):
    (machine.directory / "holder").write_text("0")

    assert not machine.alive()


def test_its_namespaces_are_entered_all_but_the_user_s(machine):
    holder = os.posix_spawn("/bin/sh", ["sh", "-c", "sleep 1000 & wait"], {"PATH": "/bin:/usr/bin"})
    (machine.directory / "holder").write_text(str(holder))
    while not machine.alive():
        os.sched_yield()
    child = machine.init()
    try:
        assert machine.enter(["true"]) == [
            "nsenter", "-t", str(child), "-n", "-m", "-u", "-p", "--", "true"
        ]  # fmt: skip
    finally:
        process.kill_all([holder, child])


def test_a_signal_to_what_does_not_run_names_what_does(machine):
    (machine.directory / "running.json").write_text(json.dumps({"web": {"pid": 8, "starts": 2}}))

    with pytest.raises(Fatal, match="charon does not run on east-worker; running are web"):
        machine.kill("charon")

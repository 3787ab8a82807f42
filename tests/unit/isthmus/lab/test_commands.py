"""What the commands say and refuse without a lab; with one, they are tried in tests/lab."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import isthmus.lab.demo  # noqa: F401 - somebody who is not root may not be able to read it later
from isthmus.lab import commands, state
from isthmus.lab.state import LabPaths
from isthmus.lab.topology import default_topology, dump_topology


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A private place for labs."""
    monkeypatch.setattr(state, "RUN", tmp_path / "run")
    return tmp_path


@pytest.fixture
def isthmus_lab(monkeypatch, capsys):
    """Run the command line; give its exit status, output and complaints."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["isthmus-lab", *words])
        with pytest.raises(SystemExit) as ended:
            commands.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.mark.parametrize(
    "words",
    [("status",), ("exec", "east-worker", "ls", "--help"), ("logs", "east")],
    ids=["status", "exec", "logs"],
)
def test_without_a_lab_each_says_in_one_line_how_to_start_one(isthmus_lab, words):
    status, out, complaint = isthmus_lab(*words)

    assert (status, out) == (1, "")
    assert complaint == "isthmus lab: no lab called 'isthmus' is up: `isthmus lab up` starts one\n"


def test_a_name_that_is_none_is_refused_in_one_line(isthmus_lab):
    status, _, complaint = isthmus_lab("down", "--name", "../etc")

    assert status == 1
    assert complaint.startswith("isthmus lab: '../etc' cannot name a lab")
    assert complaint.count("\n") == 1


def test_a_topology_file_that_is_missing_is_named(isthmus_lab, place):
    status, _, complaint = isthmus_lab("up", "--topology", str(place / "none.yaml"))

    assert status == 1
    assert "none.yaml" in complaint


def test_logs_without_a_program_lists_them_and_with_one_shows_its_end(isthmus_lab):
    paths = LabPaths("isthmus")
    log = paths.log("east", "etcd")
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"line {number}\n" for number in range(9)))
    paths.topology.write_text(dump_topology(default_topology()))

    assert isthmus_lab("logs", "east") == (0, "etcd\n", "")
    assert isthmus_lab("logs", "east", "etcd", "-n", "2") == (0, "line 7\nline 8\n", "")
    status, _, complaint = isthmus_lab("logs", "east", "charon")
    assert (status, complaint) == (1, "isthmus lab: east has no log of 'charon'; it has etcd\n")
    status, _, complaint = isthmus_lab("logs", "north")
    assert (status, complaint) == (1, "isthmus lab: 'north' has no logs; those of this lab are at east\n")


@contextmanager
def without_root() -> Iterator[None]:
    """Be nobody for a while, where this process is root."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(own)


@pytest.mark.parametrize("words", [("status",), ("link",), ("exec", "east", "ls"), ("logs", "east")])
def test_a_user_who_is_not_root_is_told_that_the_lab_is_not_for_them(isthmus_lab, words):
    isthmus_lab("status")  # reads what Python loads late, perhaps from where only root may read
    paths = LabPaths("isthmus")
    paths.directory.mkdir(parents=True)
    paths.topology.write_text(dump_topology(default_topology()))
    paths.directory.chmod(0)

    with without_root():
        status, out, complaint = isthmus_lab(*words)

    assert (status, out) == (1, "")
    assert complaint == (
        "isthmus lab: the lab 'isthmus' belongs to root: run this as root, for instance with sudo\n"
    )


@pytest.mark.parametrize("words", [("up",), ("down",), ("demo",)])
def test_what_makes_or_removes_a_lab_needs_root_and_says_so_before_all_else(isthmus_lab, words):
    isthmus_lab("status")  # reads what Python loads late, perhaps from where only root may read
    with without_root():
        status, out, complaint = isthmus_lab(*words)

    assert (status, out) == (1, "")
    assert complaint == (
        "isthmus lab: the lab makes network namespaces: run this as root, for instance with sudo\n"
    )

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.lab import state
from isthmus.lab.state import LabPaths
from isthmus.reconcile.errors import Fatal


def test_everything_of_a_lab_carries_its_name():
    paths = LabPaths("blue")

    assert paths.namespace("east-worker") == "isl-blue-east-worker"
    assert paths.directory == Path("/run/isthmus-lab/blue")
    for place in (
        paths.topology,
        paths.kubeconfig,
        paths.cluster("east"),
        paths.node("east-worker"),
        paths.log("east", "etcd"),
    ):
        assert place.is_relative_to(paths.directory)


def test_two_labs_share_no_place():
    blue, other = LabPaths("blue"), LabPaths("blue2")

    assert not other.directory.is_relative_to(blue.directory)
    assert not other.namespace("wan").startswith(blue.prefix)


@pytest.mark.parametrize("name", ["", "blue-2", "../etc", "Blue", "2blue", "a" * 16])
def test_what_could_be_mistaken_for_another_place_is_no_name(name):
    with pytest.raises(Fatal, match="cannot name a lab"):
        LabPaths(name)


def test_a_lab_that_was_never_up_has_nothing():
    paths = LabPaths("neverup")

    assert state.namespaces(paths) == []
    assert state.processes(paths) == []
    assert state.mounts(paths) == []


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine on which no network namespace was ever made by name."""
    monkeypatch.setattr(state, "RUN", tmp_path / "isthmus-lab")
    monkeypatch.setattr(state, "NAMESPACES", tmp_path / "netns")
    return tmp_path


def test_the_last_lab_takes_the_directory_of_namespaces_along_if_a_lab_made_it(machine):
    state.note_machine()
    for name in ("blue", "red"):
        LabPaths(name).directory.mkdir()
    state.NAMESPACES.mkdir()
    state.note_machine()

    LabPaths("blue").directory.rmdir()
    state.tidy_machine()
    assert state.NAMESPACES.exists()

    LabPaths("red").directory.rmdir()
    state.tidy_machine()
    assert list(machine.iterdir()) == []


@pytest.mark.parametrize("is_used", [True, False])
def test_a_directory_of_namespaces_that_others_made_or_use_stays(machine, is_used):
    if is_used:
        state.note_machine()
        (state.NAMESPACES / "somebodys").mkdir(parents=True)
    else:
        state.NAMESPACES.mkdir()
        state.note_machine()

    state.tidy_machine()

    assert list(machine.iterdir()) == [state.NAMESPACES]


def test_a_machine_without_labs_has_nothing_to_tidy(machine):
    state.tidy_machine()

    assert list(machine.iterdir()) == []

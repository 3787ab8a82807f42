from __future__ import annotations

from pathlib import Path

from isthmus.lab import state
from isthmus.lab.state import LabPaths


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
    blue, green = LabPaths("blue"), LabPaths("green")

    assert not green.directory.is_relative_to(blue.directory)
    assert not green.namespace("wan").startswith(blue.prefix)


def test_a_lab_that_was_never_up_has_nothing():
    paths = LabPaths("never-up")

    assert state.namespaces(paths) == []
    assert state.processes(paths) == []
    assert state.mounts(paths) == []

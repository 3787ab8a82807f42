"""Names and refusals; labs that really run are in tests/lab."""

from __future__ import annotations

import os

import pytest

from isthmus.lab import lab as labs
from isthmus.lab import network, state
from isthmus.lab.lab import Lab
from isthmus.lab.state import LabPaths
from isthmus.lab.topology import ClusterShape, build, default_topology, dump_topology
from isthmus.reconcile.errors import Fatal

PATHS = LabPaths("blue")
LAB = Lab(PATHS, default_topology())


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A private place for labs, and the right to make them."""
    monkeypatch.setattr(state, "RUN", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def test_a_pod_a_cluster_and_the_router_are_entered_by_their_namespaces():
    entered = {name: LAB.command(name, ["true"])[3] for name in ("east/web-worker", "west", "wan")}

    assert entered == {
        "east/web-worker": "isl-blue-east-web-worker",
        "west": "isl-blue-west",
        "wan": "isl-blue-wan",
    }


def test_an_unknown_place_tells_the_known_ones():
    with pytest.raises(Fatal, match=r"no place 'north'.*east-gateway.*west/web-worker.*wan"):
        LAB.command("north", ["true"])


def test_every_place_but_the_nodes_can_be_entered():
    nodes = {node.name for node in LAB.topology.nodes}

    for name in set(LAB.places()) - nodes:
        assert LAB.command(name, ["true"])[-1] == "true"


def test_each_control_plane_has_its_own_address():
    addresses = [LAB.plane(name).address for name in ("east", "west")]

    assert addresses == [network.host_link(PATHS, position)[2].ip for position in (0, 1)]


def test_a_lab_that_is_not_up_says_how_to_start_it(place):
    with pytest.raises(Fatal, match="`isthmus lab up` starts one"):
        labs.opened("blue")


def test_a_different_lab_of_that_name_is_not_touched(place):
    PATHS.directory.mkdir()
    PATHS.topology.write_text(dump_topology(build((ClusterShape("north"),))))

    with pytest.raises(Fatal, match="a different lab called 'blue' is up"):
        labs.up(default_topology(), pytest.fail, "blue")


def test_going_down_without_a_lab_is_harmless(place):
    said: list[str] = []

    labs.down(said.append, "blue")

    assert said == ["no lab called 'blue' is there"]


def test_two_commands_do_not_make_one_lab_at_once(place):
    with state.alone(PATHS), pytest.raises(Fatal, match="another command is making or removing"):
        labs.down(pytest.fail, "blue")


def test_logs_are_found_by_program(place):
    PATHS.log("east", "etcd").parent.mkdir(parents=True)
    PATHS.log("east", "etcd").touch()

    assert list(labs.log_files(LAB, "east")) == ["etcd"]
    with pytest.raises(Fatal, match="'west' has no logs; those of this lab are at east"):
        labs.log_files(LAB, "west")

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.lab.charon import describe, find_charon, prepare, settings, unit
from isthmus.lab.node import Machine
from isthmus.lab.state import LabPaths
from isthmus.reconcile.errors import Fatal

MACHINE = Machine(LabPaths("unit"), "gw")


def test_each_charon_has_its_socket_in_the_nodes_own_run_and_its_log_in_the_labs():
    chosen = settings(MACHINE, "libipsec", 4501)

    assert str(chosen.vici_path) == "/run/isthmus-charon/charon.vici"
    assert chosen.log_file == MACHINE.log("charon")
    assert chosen.nat_port == 4501


def test_the_unit_clears_what_a_killed_charon_left_and_becomes_charon():
    made = unit(MACHINE, "/usr/sbin/charon-systemd", Path("/lab/strongswan.conf"))

    assert made.argv[-1] == "/usr/sbin/charon-systemd"
    assert "charon.pid" in made.argv[2]
    assert "exec" in made.argv[2]
    assert made.env == {"STRONGSWAN_CONF": "/lab/strongswan.conf"}


def test_a_missing_charon_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shutil.which", lambda *_args, **_options: None)

    with pytest.raises(Fatal, match="install charon-systemd"):
        find_charon()


def test_the_kind_of_esp_is_said_in_words():
    assert "kernel" in describe("kernel")
    assert "user space" in describe("libipsec")


def test_the_configuration_is_written_into_the_nodes_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("isthmus.lab.state.RUN", tmp_path)
    monkeypatch.setattr("shutil.which", lambda *_args, **_options: "/sbin/charon-systemd")
    MACHINE.directory.mkdir(parents=True)

    made = prepare(MACHINE, "libipsec", 4500)

    configuration = Path(made.env["STRONGSWAN_CONF"])
    assert configuration.parent == MACHINE.directory
    assert "kernel-libipsec" in configuration.read_text()

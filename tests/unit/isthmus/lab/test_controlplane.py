"""What the programs are told and what clients are given; that it serves is shown in tests/lab."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest
import yaml

from isthmus.lab import controlplane, process, state
from isthmus.lab.binaries import Programs
from isthmus.lab.controlplane import ControlPlane
from isthmus.lab.state import LabPaths
from isthmus.lab.topology import default_topology

# Says which flags it got, in place of each of the three programs.
RECORDER = '#!/bin/sh\nprintf "%s\\n" "$@"\n'


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Both default control planes "started": with recorders for programs and no namespace to enter."""
    monkeypatch.setattr(state, "RUN", tmp_path / "run")
    tools = tmp_path / "bin"
    tools.mkdir()
    # `ip netns exec NAMESPACE PROGRAM …` without the namespace.
    for name, text in [("ip", '#!/bin/sh\nshift 3\nexec "$@"\n')] + [
        (name, RECORDER) for name in ("etcd", "kube-apiserver", "kube-controller-manager")
    ]:
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    pids: list[int] = []
    monkeypatch.setattr(process, "spawn", recording(process.spawn, pids))
    planes = [
        ControlPlane(LabPaths("blue"), cluster, IPv4Address(f"198.18.0.{number}"))
        for number, cluster in enumerate(default_topology().clusters, start=1)
    ]
    for plane in planes:
        controlplane.start(plane, Programs(tools))
    while any(process.alive(pid) for pid in pids):
        pass
    return planes


def recording(spawn, pids):
    def spawn_and_note(*arguments, **options):
        pids.append(spawn(*arguments, **options))
        return pids[-1]

    return spawn_and_note


def flags(plane: ControlPlane, program: str) -> list[str]:
    return plane.paths.log(plane.cluster.name, program).read_text().splitlines()


def test_etcd_is_fast_and_for_its_control_plane_only(started):
    given = flags(started[0], "etcd")

    assert "--unsafe-no-fsync" in given
    assert all("127.0.0.1" in flag for flag in given if "urls=" in flag)


def test_the_api_server_checks_rights_and_signs_tokens(started):
    given = flags(started[0], "kube-apiserver")

    assert "--authorization-mode=Node,RBAC" in given
    assert "--service-cluster-ip-range=10.15.0.0/16" in given
    assert "--advertise-address=198.18.0.1" in given
    for flag in given:
        name, _, value = flag.partition("=")
        if name.endswith("-file"):
            assert Path(value).is_file(), flag


def test_no_controller_runs_that_would_evict_pods_of_nodes_without_a_kubelet(started):
    (given,) = [flag for flag in flags(started[0], "kube-controller-manager") if "--controllers" in flag]

    assert "endpointslice-controller" in given
    assert "serviceaccount-token-controller" in given
    assert not [name for name in ("lifecycle", "pod-gc", "eviction", "*") if name in given]


def test_everybody_reaches_the_server_by_its_own_address(started):
    admin = yaml.safe_load(started[1].kubeconfig.read_text())
    proxy = yaml.safe_load(started[1].proxy_kubeconfig.read_text())

    assert {each["clusters"][0]["cluster"]["server"] for each in (admin, proxy)} == {
        "https://198.18.0.2:6443"
    }
    assert started[1].kubeconfig.stat().st_mode & 0o777 == 0o600


def test_one_kubeconfig_has_a_context_for_each_cluster(started, tmp_path):
    controlplane.merge_kubeconfigs(started, tmp_path / "merged")

    merged = yaml.safe_load((tmp_path / "merged").read_text())
    assert [context["name"] for context in merged["contexts"]] == ["east", "west"]
    assert [context["context"] for context in merged["contexts"]] == [
        {"cluster": name, "user": name} for name in ("east", "west")
    ]
    assert merged["current-context"] == "east"


def test_a_server_that_is_not_there_does_not_serve(started):
    assert not controlplane.serves(
        ControlPlane(started[0].paths, started[0].cluster, IPv4Address("127.0.0.9"))
    )

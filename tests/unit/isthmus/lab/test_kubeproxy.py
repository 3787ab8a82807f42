from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from isthmus.lab import kubeproxy
from isthmus.lab.binaries import Programs
from isthmus.lab.controlplane import ControlPlane
from isthmus.lab.state import LabPaths
from isthmus.lab.topology import default_topology

CLUSTER = default_topology().cluster("west")
PLANE = ControlPlane(LabPaths("blue"), CLUSTER, IPv4Address("198.18.0.1"))


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_kube_proxy_acts_for_its_node_in_the_mode_asked_for(tmp_path, mode):
    (tmp_path / "kube-proxy").touch()

    unit = kubeproxy.unit(PLANE, CLUSTER.nodes[1], Programs(tmp_path), mode)

    assert unit.argv[0] == str(tmp_path / "kube-proxy")
    assert {f"--proxy-mode={mode}", "--hostname-override=west-worker", "--cluster-cidr=10.20.0.0/16"} < set(
        unit.argv
    )
    assert unit.log == "/run/isthmus-lab/blue/log/west-worker/kube-proxy.log"


def test_kube_proxy_leaves_conntrack_limits_of_the_machine_alone(tmp_path):
    (tmp_path / "kube-proxy").touch()

    unit = kubeproxy.unit(PLANE, CLUSTER.nodes[0], Programs(tmp_path), "iptables")

    limits = [flag for flag in unit.argv if flag.startswith("--conntrack")]
    assert len(limits) == 4
    assert all(flag.endswith(("=0", "=0s")) for flag in limits)

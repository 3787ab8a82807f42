"""kube-proxy as a unit of a node, with the flags that let it run in a network namespace."""

from __future__ import annotations

from isthmus.lab.binaries import Programs
from isthmus.lab.controlplane import ControlPlane
from isthmus.lab.node import Machine
from isthmus.lab.supervisor import Unit
from isthmus.lab.topology import Node, ProxyMode

NAME = "kube-proxy"


def unit(plane: ControlPlane, node: Node, programs: Programs, mode: ProxyMode) -> Unit:
    """kube-proxy for *node*. The conntrack flags keep it off values that only the first namespace may set."""
    machine = Machine(plane.paths, node.name)
    return Unit(
        argv=(
            programs.path("kube-proxy"),
            f"--kubeconfig={plane.proxy_kubeconfig}",
            f"--proxy-mode={mode}",
            f"--hostname-override={node.name}",
            f"--cluster-cidr={plane.cluster.pod_cidr}",
            "--conntrack-max-per-core=0",
            "--conntrack-min=0",
            "--conntrack-tcp-timeout-established=0s",
            "--conntrack-tcp-timeout-close-wait=0s",
        ),
        log=str(machine.log(NAME)),
    )

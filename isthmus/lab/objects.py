"""The Node, Pod and Service objects of a lab cluster, written as a kubelet and a user would write them.

Pods are bound to their nodes and marked Running and Ready with their address, so that the real EndpointSlice
controller publishes them.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from isthmus.lab import process
from isthmus.lab.binaries import Programs
from isthmus.lab.controlplane import ControlPlane
from isthmus.lab.topology import Cluster, Node, Pod

POD_PORT = 8080
SERVICE_PORT = 80
ACCOUNT_SECONDS = 30


def render_objects(cluster: Cluster) -> list[dict[str, Any]]:
    """Everything of the cluster but statuses."""
    placed = [(node, pod) for node in cluster.nodes for pod in node.pods]
    return [
        *(_node(node) for node in cluster.nodes),
        *(_pod(node, pod) for node, pod in placed),
        *(_service(pod) for _, pod in placed),
    ]


def render_statuses(cluster: Cluster, now: datetime) -> list[dict[str, Any]]:
    """What the kubelets of the cluster would report."""
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        *(_node_status(node, stamp) for node in cluster.nodes),
        *(_pod_status(node, pod, stamp) for node in cluster.nodes for pod in node.pods),
    ]


def _node(node: Node) -> dict[str, Any]:
    labels = {"kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name, "labels": labels},
        "spec": {"podCIDR": str(node.pod_cidr), "podCIDRs": [str(node.pod_cidr)]},
    }


def _node_status(node: Node, stamp: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": str(node.address.ip)},
                {"type": "Hostname", "address": node.name},
            ],
            "conditions": [
                _condition("Ready", stamp) | {"reason": "KubeletReady", "lastHeartbeatTime": stamp}
            ],
        },
    }


def _pod(node: Node, pod: Pod) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": pod.name, "namespace": "default", "labels": {"app": pod.name}},
        "spec": {
            "nodeName": node.name,
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": "web",
                    "image": "isthmus-lab/httpserver",
                    "ports": [
                        {"name": "http", "containerPort": POD_PORT, "protocol": "TCP"},
                        {"name": "echo", "containerPort": POD_PORT, "protocol": "UDP"},
                    ],
                }
            ],
        },
    }


def _pod_status(node: Node, pod: Pod, stamp: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": pod.name, "namespace": "default"},
        "status": {
            "phase": "Running",
            "podIP": str(pod.address),
            "podIPs": [{"ip": str(pod.address)}],
            "hostIP": str(node.address.ip),
            "startTime": stamp,
            "conditions": [_condition(kind, stamp) for kind in ("Initialized", "ContainersReady", "Ready")],
            "containerStatuses": [
                {
                    "name": "web",
                    "image": "isthmus-lab/httpserver",
                    "imageID": "",
                    "ready": True,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": stamp}},
                }
            ],
        },
    }


def _condition(kind: str, stamp: str) -> dict[str, Any]:
    return {"type": kind, "status": "True", "lastTransitionTime": stamp}


def _service(pod: Pod) -> dict[str, Any]:
    ports = [
        {"name": name, "port": SERVICE_PORT, "targetPort": POD_PORT, "protocol": protocol}
        for name, protocol in (("http", "TCP"), ("echo", "UDP"))
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": pod.name, "namespace": "default"},
        "spec": {"selector": {"app": pod.name}, "ports": ports},
    }


def write_objects(plane: ControlPlane, programs: Programs) -> None:
    """Write all of the cluster's objects; writing them again changes nothing."""
    _wait_for_account(plane, programs)
    _apply(plane, programs, render_objects(plane.cluster), [])
    _apply(plane, programs, render_statuses(plane.cluster, datetime.now(UTC)), ["--subresource=status"])


def service_addresses(plane: ControlPlane, programs: Programs) -> list[str]:
    """The ClusterIPs of the lab's own Services."""
    path = "jsonpath={.items[?(@.spec.selector.app)].spec.clusterIP}"
    return process.check(kubectl(plane, programs, "get", "services", "-o", path)).split()


def kubectl(plane: ControlPlane, programs: Programs, *words: str) -> list[str]:
    """The command line of kubectl as the cluster's administrator."""
    return [
        programs.path("kubectl"),
        f"--kubeconfig={plane.kubeconfig}",
        f"--cache-dir={plane.directory / 'kubectl-cache'}",
        *words,
    ]


def _apply(plane: ControlPlane, programs: Programs, items: list[dict[str, Any]], flags: list[str]) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    command = kubectl(plane, programs, "apply", "--server-side", "--force-conflicts", *flags, "-f", "-")
    process.check(command, stdin=text)


def _wait_for_account(plane: ControlPlane, programs: Programs) -> None:
    """Pods are refused until the controller has made the namespace's default account."""
    deadline = time.monotonic() + ACCOUNT_SECONDS
    command = kubectl(plane, programs, "get", "serviceaccount", "default", "-o", "name")
    while not (done := process.run(command)).ok:
        if time.monotonic() > deadline:
            raise process.ProgramFailed(done)
        time.sleep(0.2)

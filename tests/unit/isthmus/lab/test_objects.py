from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from isthmus.lab.objects import render_objects, render_statuses
from isthmus.lab.topology import default_topology

EAST = default_topology().cluster("east")
NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def named(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def conditions(item: dict[str, Any]) -> dict[str, str]:
    return {each["type"]: each["status"] for each in item["status"]["conditions"]}


def test_every_node_and_pod_has_its_object_and_every_pod_a_service():
    kinds = [(each["kind"], each["metadata"]["name"]) for each in render_objects(EAST)]

    assert sorted(kinds) == [
        ("Node", "east-gateway"),
        ("Node", "east-worker"),
        ("Pod", "web-gateway"),
        ("Pod", "web-worker"),
        ("Service", "web-gateway"),
        ("Service", "web-worker"),
    ]


def test_a_node_carries_its_pod_network_and_hostname():
    node = named(render_objects(EAST), "Node", "east-worker")

    assert node["spec"]["podCIDRs"] == ["10.10.1.0/24"]
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == "east-worker"


def test_a_node_reports_ready_at_its_address():
    node = named(render_statuses(EAST, NOW), "Node", "east-worker")

    assert conditions(node) == {"Ready": "True"}
    assert {"type": "InternalIP", "address": "172.31.1.51"} in node["status"]["addresses"]


def test_a_pod_is_bound_to_its_node_and_reports_ready_with_its_address():
    pod = named(render_objects(EAST), "Pod", "web-worker")
    status = named(render_statuses(EAST, NOW), "Pod", "web-worker")["status"]

    assert pod["spec"]["nodeName"] == "east-worker"
    assert (status["phase"], status["podIP"], status["hostIP"]) == ("Running", "10.10.1.10", "172.31.1.51")
    assert status["startTime"] == "2030-01-02T03:04:05Z"
    assert status["containerStatuses"][0]["ready"]


def test_a_service_selects_its_pod_over_tcp_and_udp():
    objects = render_objects(EAST)
    service, pod = named(objects, "Service", "web-worker"), named(objects, "Pod", "web-worker")

    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert [(port["protocol"], port["port"], port["targetPort"]) for port in service["spec"]["ports"]] == [
        ("TCP", 80, 8080),
        ("UDP", 80, 8080),
    ]

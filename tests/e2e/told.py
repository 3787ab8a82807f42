"""What a user is told: the Gateway and RouteAgent objects of a cluster, and its Events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from isthmus.lab.kubelet import NAMESPACE
from isthmus.lab.lab import Lab
from tests.e2e.patience import eventually

REPORTS = "gateways.submariner.io,routeagents.submariner.io"


@dataclass(frozen=True)
class Word:
    """What one object says of one remote Endpoint."""

    kind: str
    node: str
    remote: str
    status: str
    message: str


@dataclass(frozen=True)
class Report:
    """One Gateway or RouteAgent object."""

    kind: str
    node: str
    failure: str
    words: tuple[Word, ...]


def reports(lab: Lab, cluster: str) -> list[Report]:
    """Everything that the cluster's daemons report."""
    listed = json.loads(lab.kubectl(cluster, "-n", NAMESPACE, "get", REPORTS, "-o", "json"))
    return [_report(item) for item in listed["items"]]


def _report(item: dict[str, Any]) -> Report:
    kind, node, status = item["kind"], item["metadata"]["name"], item["status"]
    entries = status.get("connections") or status.get("remoteEndpoints") or []
    return Report(
        kind,
        node,
        status.get("statusFailure") or "",
        tuple(_word(kind, node, entry) for entry in entries),
    )


def _word(kind: str, node: str, entry: dict[str, Any]) -> Word:
    endpoint = entry.get("endpoint") or entry.get("spec") or {}
    remote = str(endpoint.get("cluster_id", ""))
    return Word(kind, node, remote, entry["status"], entry.get("statusMessage") or "")


def words(lab: Lab, cluster: str, remote: str) -> list[Word]:
    """What the daemons of *cluster* say of the Endpoints of *remote*."""
    return [word for report in reports(lab, cluster) for word in report.words if word.remote == remote]


def failure(lab: Lab, cluster: str) -> str:
    """The Gateway's own failure, "" while it has none."""
    found = [report.failure for report in reports(lab, cluster) if report.kind == "Gateway"]
    assert found, f"no gateway of {cluster} reports"
    return found[0]


def await_failure(lab: Lab, cluster: str, *fragments: str) -> str:
    """Wait until the Gateway names its trouble in these words."""

    def named() -> str:
        told = failure(lab, cluster)
        assert all(fragment in told for fragment in fragments), told
        return told

    return eventually(named)


def await_well(lab: Lab, *clusters: str) -> None:
    """Wait until no daemon of the clusters has anything to complain about and all are connected."""

    def well() -> None:
        for cluster in clusters:
            told = reports(lab, cluster)
            assert not [report for report in told if report.failure], told
            gateway = [report for report in told if report.kind == "Gateway"]
            connected = [word.status == "connected" for report in gateway for word in report.words]
            assert connected, gateway
            assert all(connected), gateway

    eventually(well)


def events(lab: Lab, cluster: str) -> list[tuple[str, str, str]]:
    """Kind, name and message of the refusals among the cluster's Events."""
    listed = json.loads(lab.kubectl(cluster, "get", "events", "-A", "-o", "json"))
    return [
        (item["involvedObject"]["kind"], item["involvedObject"]["name"], item["message"])
        for item in listed["items"]
        if item["reason"] == "Refused"
    ]

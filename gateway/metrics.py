"""Submariner's gateway metrics, made afresh from the present status at every scrape.

So a series is gone as soon as its cable is, and one whose status changed does not live on under the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric, UnknownMetricFamily

from crds.endpoint import EndpointSpec
from crds.gateway import Connection
from gateway.drivers import CableState
from gateway.status import Report, gateway_status

LABELS = (
    "cable_driver",
    "local_cluster",
    "local_hostname",
    "local_endpoint_ip",
    "remote_cluster",
    "remote_hostname",
    "remote_endpoint_ip",
)


class CableMetrics:
    """A collector over the last report; `iterations` counts the reports written."""

    def __init__(self, report: Callable[[], Report | None], iterations: Callable[[], int]) -> None:
        self._report = report
        self._iterations = iterations

    def collect(self) -> Iterator[Metric]:
        """Every series of now."""
        # A counter by nature; as one it would be called …_total, and Submariner's dashboards would miss it.
        yield UnknownMetricFamily(
            "submariner_gateway_sync_iterations", "Gateway statuses written", value=self._iterations()
        )
        report = self._report()
        if report is None or not isinstance(report.local, EndpointSpec):
            return
        local = report.local
        rows = [
            (connection.endpoint, connection, (report.states or {}).get(connection.endpoint.cable_name))
            for connection in gateway_status(report).connections
            if isinstance(connection.endpoint, EndpointSpec)
        ]
        yield from _traffic(local, rows)
        yield from _connections(local, rows)


Row = tuple[EndpointSpec, Connection, CableState | None]


def _traffic(local: EndpointSpec, rows: Iterable[Row]) -> Iterator[Metric]:
    received = GaugeMetricFamily("submariner_gateway_rx_bytes", "Bytes received by cable", labels=LABELS)
    sent = GaugeMetricFamily("submariner_gateway_tx_bytes", "Bytes sent by cable", labels=LABELS)
    established = GaugeMetricFamily(
        "submariner_connection_established_timestamp", "Unix time at which the cable came up", labels=LABELS
    )
    latency = GaugeMetricFamily(
        "submariner_connection_latency_seconds", "Mean round-trip time through the cable", labels=LABELS
    )
    for remote, connection, state in rows:
        labels = _labels(local, remote)
        if state and state.tunnel:
            received.add_metric(labels, state.tunnel.rx_bytes)
            sent.add_metric(labels, state.tunnel.tx_bytes)
            established.add_metric(labels, state.tunnel.established_at.timestamp())
        if connection.latency:
            latency.add_metric(labels, connection.latency.average)
    yield from (received, sent, established, latency)


def _connections(local: EndpointSpec, rows: Iterable[Row]) -> Iterator[Metric]:
    whole = GaugeMetricFamily(
        "submariner_connections", "1 for each connection, by its status", labels=(*LABELS, "status")
    )
    counts: dict[str, int] = {}
    for remote, connection, _ in rows:
        whole.add_metric((*_labels(local, remote), connection.status.value), 1)
        counts[connection.status.value] = counts.get(connection.status.value, 0) + 1
    short = GaugeMetricFamily(
        "submariner_connections_short", "Connections by status", labels=("cable_driver", "status")
    )
    for status, count in sorted(counts.items()):
        short.add_metric((local.backend, status), count)
    yield from (whole, short)


def _labels(local: EndpointSpec, remote: EndpointSpec) -> tuple[str, ...]:
    # The addresses are the public ones, as in Submariner.
    return (
        local.backend,
        local.cluster_id,
        local.hostname,
        str(local.public_ip or ""),
        remote.cluster_id,
        remote.hostname,
        str(remote.public_ip or ""),
    )

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address

from prometheus_client import CollectorRegistry, generate_latest

from crds.gateway import ConnectionStatus
from gateway.drivers import CableState, Tunnel
from gateway.health.stats import PeerHealth, answered
from gateway.metrics import CableMetrics
from gateway.plan.cables import plan_cable
from gateway.status import Report
from tests.builders import endpoint_spec

LOCAL = endpoint_spec("east", "10.96.0.0/16", hostname="east-gw", public_ip="192.0.2.1")
WEST = endpoint_spec("west", "10.97.0.0/16", hostname="west-gw")
CABLE = plan_cable(LOCAL, WEST)
TUNNEL = Tunnel("1", "2", "3", "4", "AES_GCM_16_256", 1000, 2000, datetime(2026, 1, 1, tzinfo=UTC))
REPORT = Report(
    version="1",
    active=True,
    local=LOCAL,
    cables=(CABLE,),
    states={CABLE.cable_name: CableState(ConnectionStatus.CONNECTED, tunnel=TUNNEL)},
    health={CABLE.cable_name: answered(PeerHealth(ip_address("10.97.0.1")), 0.002)},
)
LABELS = (
    'cable_driver="libreswan",local_cluster="east",local_endpoint_ip="192.0.2.1",local_hostname="east-gw",'
    'remote_cluster="west",remote_endpoint_ip="",remote_hostname="west-gw"'
)


def scrape(report: Report | None) -> list[str]:
    registry = CollectorRegistry()
    registry.register(CableMetrics(lambda: report, lambda: 3))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_before_the_first_report_only_the_count_is_there():
    assert scrape(None) == ["submariner_gateway_sync_iterations 3.0"]


def test_a_connected_cable_has_all_of_submariners_series():
    assert scrape(REPORT) == [
        "submariner_gateway_sync_iterations 3.0",
        f"submariner_gateway_rx_bytes{{{LABELS}}} 1000.0",
        f"submariner_gateway_tx_bytes{{{LABELS}}} 2000.0",
        f"submariner_connection_established_timestamp{{{LABELS}}} 1.7672256e+09",
        f"submariner_connection_latency_seconds{{{LABELS}}} 0.002",
        f'submariner_connections{{{LABELS},status="connected"}} 1.0',
        'submariner_connections_short{cable_driver="libreswan",status="connected"} 1.0',
    ]


def test_a_changed_status_replaces_the_old_series():
    broken = replace(REPORT, states={CABLE.cable_name: CableState(ConnectionStatus.ERROR, "no")}, health={})

    lines = [line for line in scrape(broken) if line.startswith("submariner_connections")]

    assert lines == [
        f'submariner_connections{{{LABELS},status="error"}} 1.0',
        'submariner_connections_short{cable_driver="libreswan",status="error"} 1.0',
    ]


def test_a_cable_that_is_gone_leaves_no_series():
    assert scrape(replace(REPORT, cables=())) == ["submariner_gateway_sync_iterations 3.0"]

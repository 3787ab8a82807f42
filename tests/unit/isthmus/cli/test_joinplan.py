from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from isthmus.cli.faults import USAGE, Fault
from isthmus.cli.joinplan import JoinArguments, plan_join
from isthmus.cli.localfacts import LocalFacts
from isthmus.cli.settings import HealthCheck, Tunnel

FACTS = LocalFacts(
    uid="uid-1",
    config=None,
    nodes=({"metadata": {"name": "n1", "labels": {}}, "spec": {"podCIDRs": ["10.1.0.0/24"]}},),
    control_plane_pods=(),
    service_cidrs=({"spec": {"cidrs": ["10.96.0.0/16"]}},),
)
GIVEN = JoinArguments(cluster_id="west", cluster_cidr="10.1.0.0/16", service_cidr="10.97.0.0/16")


def joined(**data: str) -> dict[str, Any]:
    return {"data": {"SUBMARINER_CLUSTERID": "west"} | data}


def test_what_is_given_counts():
    plan = plan_join(GIVEN, FACTS, "kubernetes")

    assert plan.settings.cluster_id == "west"
    assert plan.settings.networks.cluster == (ip_network("10.1.0.0/16"),)
    assert plan.settings.networks.service == (ip_network("10.97.0.0/16"),)
    assert plan.gateways.to_label == ("n1",)
    assert plan.notes == ()
    assert plan.warnings == ()


def test_what_is_not_given_is_found_and_said():
    plan = plan_join(JoinArguments(), FACTS, "My-Cluster")

    assert plan.settings.cluster_id == "my-cluster"
    assert plan.notes == (
        "Pod CIDR 10.1.0.0/24, read from the nodes' podCIDRs",
        "Service CIDR 10.96.0.0/16, read from the ServiceCIDR objects",
    )
    assert "nodes of today" in plan.warnings[0]


def test_joining_again_keeps_what_was_given_the_first_time():
    facts = replace(
        FACTS, config=joined(SUBMARINER_CLUSTERCIDR="10.1.0.0/16", SUBMARINER_SERVICECIDR="10.97.0.0/16")
    )

    plan = plan_join(JoinArguments(), facts, "kubernetes")

    assert plan.settings.cluster_id == "west"
    assert plan.settings.networks.all == (ip_network("10.97.0.0/16"), ip_network("10.1.0.0/16"))


def test_a_member_cannot_take_another_id():
    with pytest.raises(Fault, match="a member already, as 'west'"):
        plan_join(replace(GIVEN, cluster_id="south"), replace(FACTS, config=joined()), "kubernetes")


@pytest.mark.parametrize(
    ("facts", "option"),
    [(replace(FACTS, nodes=()), "--clustercidr"), (replace(FACTS, service_cidrs=()), "--servicecidr")],
)
def test_a_range_that_is_neither_given_nor_found_is_asked_for(facts: LocalFacts, option: str):
    with pytest.raises(Fault, match=f"give it with {option}") as refused:
        plan_join(JoinArguments(cluster_id="west"), facts, "")

    assert refused.value.exit_code == USAGE


@pytest.mark.parametrize("name", ["libreswan", "strongswan", "IPsec"])
def test_every_name_of_the_ipsec_driver_means_the_same(name: str):
    plan = plan_join(replace(GIVEN, tunnel=Tunnel(driver=name)), FACTS, "")

    assert plan.settings.tunnel.driver == "libreswan"


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (replace(GIVEN, tunnel=Tunnel(driver="carrier-pigeon")), "--cable-driver"),
        (replace(GIVEN, tunnel=Tunnel(port=0)), "--nattport"),
        (replace(GIVEN, tunnel=Tunnel(port=65536)), "--nattport"),
        (replace(GIVEN, health=HealthCheck(interval=0)), "--health-check-interval"),
        (replace(GIVEN, health=HealthCheck(losses=0)), "--health-check-max-packet-loss-count"),
        (replace(GIVEN, cluster_cidr="10.1.0.1/16"), "--clustercidr"),
        (replace(GIVEN, service_cidr="x"), "--servicecidr"),
        (replace(GIVEN, gateway_nodes=("n9",)), "--gateway-node"),
    ],
)
def test_a_wrong_argument_is_usage_and_names_its_option(arguments: JoinArguments, option: str):
    with pytest.raises(Fault) as refused:
        plan_join(arguments, FACTS, "")

    assert str(refused.value).startswith(f"{option}: ")
    assert refused.value.exit_code == USAGE


def test_a_cluster_without_a_gateway_is_warned_of():
    plan = plan_join(replace(GIVEN, label_gateway=False), FACTS, "")

    assert "not connected until" in plan.warnings[0]

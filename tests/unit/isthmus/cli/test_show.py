from __future__ import annotations

import io
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from crds.cluster import render_cluster
from crds.endpoint import EndpointSpec
from crds.gateway import GatewayStatus, HaStatus, render_gateway
from crds.meta import ClusterId
from isthmus.cli.faults import Fault
from isthmus.cli.output import Format, Progress, Table
from isthmus.cli.show import Subject, read_table, render_results
from isthmus.kube.resources import CLUSTERS
from tests.fakes.kubeapi import FakeKube

NAMESPACE = "submariner-operator"
SPEC = EndpointSpec(
    ClusterId("east"), "cable", "east-gw", (ip_network("10.1.0.0/16"),), ip_address("192.0.2.1")
)
GATEWAY = render_gateway("east-gw", NAMESPACE, GatewayStatus("0.1.0", HaStatus.ACTIVE, SPEC), 1)


def cluster(name: str = "east") -> dict[str, Any]:
    return render_cluster(
        ClusterId(name), [ip_network("10.96.0.0/16")], [ip_network("10.1.0.0/16")], [], NAMESPACE
    )


async def read(api: FakeKube, subject: Subject) -> tuple[Table, str]:
    stream = io.StringIO()
    table = await read_table(api, NAMESPACE, subject, Progress(stream))
    return table, stream.getvalue()


async def test_clusters_are_read_from_the_namespace():
    table, said = await read(FakeKube([cluster()]), Subject.CLUSTERS)

    assert table.rows == (("east", "10.96.0.0/16", "10.1.0.0/16", "local"),)
    assert said == ""


async def test_an_object_that_cannot_be_read_is_left_out_with_a_word():
    broken = cluster("west") | {"spec": {"cluster_id": "west", "service_cidr": ["banana"]}}

    table, said = await read(FakeKube([cluster(), broken]), Subject.CLUSTERS)

    assert len(table.rows) == 1
    assert "left out: Cluster submariner-operator/west: spec.service_cidr[0]" in said


@pytest.mark.parametrize("subject", [Subject.ENDPOINTS, Subject.GATEWAYS])
async def test_gateways_and_endpoints_come_from_gateway_objects(subject: Subject):
    table, _ = await read(FakeKube([GATEWAY]), subject)

    assert len(table.rows) == 1


async def test_a_gateway_without_connections_is_no_fault():
    table, _ = await read(FakeKube([GATEWAY]), Subject.CONNECTIONS)

    assert table.rows == ()


@pytest.mark.parametrize("subject", list(Subject))
async def test_a_cluster_that_has_not_joined_is_told_to(subject: Subject):
    with pytest.raises(Fault, match="isthmus join"):
        await read(FakeKube(), subject)


async def test_a_cluster_that_lacks_the_kinds_is_told_to_join():
    api = FakeKube()
    api.withdraw(CLUSTERS)

    with pytest.raises(Fault, match="does not know Cluster objects"):
        await read(api, Subject.CLUSTERS)


TABLE = Table(("A",), (("x",),), ({"a": "x"},))


def test_each_cluster_has_its_heading():
    text = render_results({"east": TABLE, "west": Table(("A",), (), ())}, Format.TABLE)

    assert text.startswith('Cluster "east"\n')
    assert text.endswith('Cluster "west"\n(none)\n')


def test_programs_get_one_document():
    assert (
        render_results({"east": TABLE}, Format.JSON)
        == '{\n  "east": [\n    {\n      "a": "x"\n    }\n  ]\n}\n'
    )

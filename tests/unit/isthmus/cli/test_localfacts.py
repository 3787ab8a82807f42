from __future__ import annotations

from isthmus.cli.localfacts import SERVICE_CIDRS, read_local_facts
from isthmus.kube.resources import RESOURCE_BY_KIND
from tests.fakes.kubeapi import FakeKube

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}
CONTROL_POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "kcm", "namespace": "kube-system"}}
OTHER_POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default"}}


async def test_a_cluster_that_never_joined_has_no_settings():
    facts = await read_local_facts(FakeKube([NODE, CONTROL_POD, OTHER_POD]))

    assert facts.config is None
    assert facts.uid.startswith("uid-")
    assert [node["metadata"]["name"] for node in facts.nodes] == ["n1"]
    assert [pod["metadata"]["name"] for pod in facts.control_plane_pods] == ["kcm"]


async def test_an_old_server_without_service_cidr_objects_is_no_fault():
    facts = await read_local_facts(FakeKube([NODE]))

    assert facts.service_cidrs == ()


async def test_service_cidr_objects_are_read_where_they_are_served():
    api = FakeKube([NODE], served=(*RESOURCE_BY_KIND.values(), SERVICE_CIDRS))
    body = {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": "kubernetes"}}
    await api.create(SERVICE_CIDRS, None, body | {"spec": {"cidrs": ["10.96.0.0/16"]}})

    facts = await read_local_facts(api)

    assert facts.service_cidrs[0]["spec"] == {"cidrs": ["10.96.0.0/16"]}


async def test_the_settings_of_an_earlier_join_are_read():
    config = {"kind": "ConfigMap", "metadata": {"name": "isthmus-config", "namespace": "submariner-operator"}}

    facts = await read_local_facts(FakeKube([config]))

    assert facts.config is not None

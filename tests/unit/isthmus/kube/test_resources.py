import pytest

from isthmus.kube.resources import ENDPOINTS, NODES, RESOURCE_BY_KIND, SECRETS


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (ENDPOINTS.path("ns"), "/apis/submariner.io/v1/namespaces/ns/endpoints"),
        (ENDPOINTS.path("ns", "one"), "/apis/submariner.io/v1/namespaces/ns/endpoints/one"),
        (ENDPOINTS.path(None), "/apis/submariner.io/v1/endpoints"),
        (ENDPOINTS.path(""), "/apis/submariner.io/v1/endpoints"),
        (SECRETS.path("ns", "one"), "/api/v1/namespaces/ns/secrets/one"),
        (NODES.path("ignored", "one"), "/api/v1/nodes/one"),
        (SECRETS.path("ns", "../pods/x?y"), "/api/v1/namespaces/ns/secrets/..%2Fpods%2Fx%3Fy"),
    ],
)
def test_a_path_follows_from_group_scope_and_name(path, expected):
    assert path == expected


def test_a_resource_names_itself_as_kubectl_does():
    assert str(ENDPOINTS) == "endpoints.submariner.io"
    assert str(NODES) == "nodes"
    assert ENDPOINTS.api_version == "submariner.io/v1"
    assert NODES.api_version == "v1"


def test_every_kind_finds_its_resource():
    assert all(RESOURCE_BY_KIND[resource.kind] is resource for resource in RESOURCE_BY_KIND.values())

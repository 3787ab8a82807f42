from __future__ import annotations

from crds.meta import GROUP
from crds.network import MAX_SUBNETS
from crds.schemas import load_schemas


def test_every_kind_has_one_served_and_stored_version():
    schemas = load_schemas()

    assert [schema["spec"]["names"]["kind"] for schema in schemas] == [
        "Cluster",
        "Endpoint",
        "Gateway",
        "RouteAgent",
    ]
    for schema in schemas:
        assert schema["kind"] == "CustomResourceDefinition"
        assert schema["metadata"]["name"] == f"{schema['spec']['names']['plural']}.{GROUP}"
        assert schema["spec"]["scope"] == "Namespaced"
        (version,) = schema["spec"]["versions"]
        assert (version["name"], version["served"], version["storage"]) == ("v1", True, True)
        # Other members write status with a plain update, which a status subresource would drop.
        assert "subresources" not in version


def test_schema_and_parser_allow_the_same_number_of_subnets():
    endpoint = load_schemas()[1]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]

    assert endpoint["properties"]["subnets"]["maxItems"] == MAX_SUBNETS

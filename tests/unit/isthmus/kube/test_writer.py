from typing import Any

import pytest

from isthmus.kube.errors import Conflict, Forbidden
from isthmus.kube.resources import CONFIG_MAPS, ENDPOINTS, ROLES, SERVICES
from isthmus.kube.writer import ensure, prune, remove
from tests.fakes.kubeapi import FakeKube


def config(name: str = "settings", **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default", "labels": {"owner": "isthmus"}},
        "data": data,
    }


def endpoint(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "submariner.io/v1",
        "kind": "Endpoint",
        "metadata": {"name": "east", "namespace": "default"},
        "spec": spec,
    }


def writes(api: FakeKube) -> list[str]:
    return [call.verb for call in api.calls if call.verb != "get"]


async def test_a_missing_object_is_created():
    api = FakeKube()

    assert await ensure(api, CONFIG_MAPS, config(port="4500")) == "created"
    stored = api.object(CONFIG_MAPS, "default", "settings")
    assert stored is not None
    assert stored["data"] == {"port": "4500"}


async def test_an_equal_object_is_not_written():
    api = FakeKube([config(port="4500")])

    assert await ensure(api, CONFIG_MAPS, config(port="4500")) == "unchanged"
    assert writes(api) == []


async def test_a_different_object_is_changed():
    api = FakeKube([config(port="4500")])

    assert await ensure(api, CONFIG_MAPS, config(port="4501")) == "changed"
    assert writes(api) == ["update"]


async def test_what_others_set_on_the_object_stays_and_is_no_difference():
    foreign = config(port="4500", extra="theirs")
    foreign["metadata"]["labels"]["team"] = "network"
    foreign["metadata"]["finalizers"] = ["theirs"]
    api = FakeKube([foreign])

    assert await ensure(api, CONFIG_MAPS, config(port="4500")) == "unchanged"
    assert await ensure(api, CONFIG_MAPS, config(port="4501")) == "changed"

    stored = api.object(CONFIG_MAPS, "default", "settings")
    assert stored is not None
    assert stored["metadata"]["labels"] == {"owner": "isthmus", "team": "network"}
    assert stored["metadata"]["finalizers"] == ["theirs"]
    assert stored["data"] == {"port": "4501", "extra": "theirs"}


async def test_fields_that_a_server_adds_inside_list_items_are_no_difference():
    service = {"kind": "Service", "metadata": {"name": "web", "namespace": "default"}}
    api = FakeKube([service | {"spec": {"ports": [{"port": 80, "protocol": "TCP"}]}}])

    assert await ensure(api, SERVICES, service | {"spec": {"ports": [{"port": 80}]}}) == "unchanged"
    more = {"spec": {"ports": [{"port": 80}, {"port": 443}]}}
    assert await ensure(api, SERVICES, service | more) == "changed"


async def test_a_key_that_we_drop_from_our_own_kind_goes_away():
    api = FakeKube([endpoint(backend="libreswan", backend_config={"udp-port": "4500", "old": "x"})])

    wanted = endpoint(backend="libreswan", backend_config={"udp-port": "4500"})
    assert await ensure(api, ENDPOINTS, wanted) == "changed"

    stored = api.object(ENDPOINTS, "default", "east")
    assert stored is not None
    assert stored["spec"] == wanted["spec"]
    assert await ensure(api, ENDPOINTS, wanted) == "unchanged"


async def test_a_lost_race_is_run_again():
    api = FakeKube([config(port="4500")])
    api.fail_next("update", Conflict)

    assert await ensure(api, CONFIG_MAPS, config(port="4501")) == "changed"


async def test_a_race_that_is_lost_again_and_again_is_left_to_the_caller():
    api = FakeKube([config(port="4500")])
    api.refuse(Conflict, verb="update")

    with pytest.raises(Conflict):
        await ensure(api, CONFIG_MAPS, config(port="4501"))
    assert writes(api) == ["update"] * 3


async def test_a_forbidden_write_is_not_tried_again():
    api = FakeKube()
    api.refuse(Forbidden, verb="create")

    with pytest.raises(Forbidden):
        await ensure(api, CONFIG_MAPS, config())
    assert writes(api) == ["create"]


async def test_removing_says_whether_there_was_something_to_remove():
    api = FakeKube([config()])

    assert await remove(api, CONFIG_MAPS, "default", "settings")
    assert not await remove(api, CONFIG_MAPS, "default", "settings")


async def test_pruning_deletes_the_selected_objects_that_are_not_kept():
    foreign = config("theirs")
    foreign["metadata"]["labels"] = {}
    api = FakeKube([config("a"), config("b"), config("c"), foreign])

    assert await prune(api, CONFIG_MAPS, "default", {"b"}, "owner=isthmus") == ("a", "c")
    assert [item["metadata"]["name"] for item in api.objects(CONFIG_MAPS)] == ["b", "theirs"]


async def test_pruning_leaves_an_object_that_was_created_anew_meanwhile():
    api = FakeKube([config("a"), config("b")])
    api.fail_next("delete", Conflict)

    assert await prune(api, CONFIG_MAPS, "default", (), "owner=isthmus") == ("b",)


async def test_a_right_that_we_drop_is_taken_away() -> None:
    api = FakeKube()
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"} | {
        "metadata": {"namespace": "default", "name": "one"}
    }
    await ensure(api, ROLES, role | {"rules": [rule | {"resourceNames": ["mine"]}]})

    said = await ensure(api, ROLES, role | {"rules": [rule]})

    assert said == "changed"
    stored = api.object(ROLES, "default", "one")
    assert stored is not None
    assert stored["rules"] == [rule]

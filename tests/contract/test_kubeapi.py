"""What `KubeApi` promises, held against the fake and against a real kube-apiserver."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from isthmus.kube import errors
from isthmus.kube.api import KubeApi, WatchEvent
from isthmus.kube.resources import CONFIG_MAPS, NODES, SERVICE_ACCOUNTS
from tests.contract.kubeworld import ABSENTS, THINGS, KubeWorld


async def seen(world: KubeWorld, since: str, selector: str = "") -> list[WatchEvent]:
    """Every event of one watch until the server ends it."""
    stream = world.api.watch(
        THINGS,
        world.namespace,
        resource_version=since,
        label_selector=selector,
        timeout_seconds=1,
    )
    return [event async for event in stream]


def changes(events: list[WatchEvent]) -> list[tuple[str, str]]:
    return [(event.type, event.object["metadata"]["name"]) for event in events if event.type != "BOOKMARK"]


async def test_a_created_object_can_be_read_and_knows_its_version(world: KubeWorld):
    created = await world.api.create(THINGS, world.namespace, world.thing("one", colour="red"))

    read = await world.api.get(THINGS, world.namespace, "one")

    assert read == created
    assert read["spec"] == {"colour": "red"}
    assert read["metadata"]["resourceVersion"]
    assert read["metadata"]["uid"]


async def test_a_list_longer_than_a_page_is_complete(world: KubeWorld):
    names = [f"thing-{number}" for number in range(7)]
    for name in names:
        await world.api.create(THINGS, world.namespace, world.thing(name))

    listing = await world.api.list(THINGS, world.namespace)

    assert sorted(item["metadata"]["name"] for item in listing.items) == names
    assert int(listing.resource_version) > 0


async def test_a_list_of_all_namespaces_holds_each_object(world: KubeWorld):
    await world.api.create(THINGS, world.namespace, world.thing("one"))

    listing = await world.api.list(THINGS)

    assert (world.namespace, "one") in [
        (item["metadata"]["namespace"], item["metadata"]["name"]) for item in listing.items
    ]


async def test_items_of_a_list_name_their_kind(world: KubeWorld):
    await world.api.create(CONFIG_MAPS, world.namespace, {"metadata": {"name": "settings"}})

    listing = await world.api.list(CONFIG_MAPS, world.namespace)

    assert [(item["apiVersion"], item["kind"]) for item in listing.items] == [("v1", "ConfigMap")]


async def test_a_list_selects_by_label(world: KubeWorld):
    await world.api.create(THINGS, world.namespace, world.thing("one", {"site": "east"}))
    await world.api.create(THINGS, world.namespace, world.thing("two", {"site": "west"}))

    listing = await world.api.list(THINGS, world.namespace, label_selector="site=west")

    assert [item["metadata"]["name"] for item in listing.items] == ["two"]


async def test_a_list_of_cluster_scoped_objects_is_empty_without_any(world: KubeWorld):
    assert (await world.api.list(NODES)).items == ()


async def test_a_watch_first_says_that_it_is_open(world: KubeWorld):
    since = (await world.api.list(THINGS, world.namespace)).resource_version

    async with aclosing(world.api.watch(THINGS, world.namespace, resource_version=since)) as events:
        first = await anext(events)

    assert first.type == "BOOKMARK"
    assert first.object["metadata"]["resourceVersion"] == since


async def test_a_watch_shows_what_happened_since_the_list(world: KubeWorld):
    since = (await world.api.list(THINGS, world.namespace)).resource_version
    await world.api.create(THINGS, world.namespace, world.thing("one"))
    await world.api.patch(THINGS, world.namespace, "one", {"spec": {"size": 1}}, kind="merge")
    await world.api.delete(THINGS, world.namespace, "one")

    events = await seen(world, since)

    assert changes(events) == [("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one")]


async def test_a_watch_shows_what_happens_while_it_is_open(world: KubeWorld):
    since = (await world.api.list(THINGS, world.namespace)).resource_version

    async with aclosing(world.api.watch(THINGS, world.namespace, resource_version=since)) as events:
        await anext(events)
        await world.api.create(THINGS, world.namespace, world.thing("one", colour="red"))
        event = await anext(events)

    assert event.type == "ADDED"
    assert event.object["kind"] == "Thing"
    assert event.object["spec"] == {"colour": "red"}


async def test_bookmarks_carry_a_watch_past_changes_that_it_does_not_show(world: KubeWorld):
    since = (await world.api.list(THINGS, world.namespace)).resource_version
    stream = world.api.watch(
        THINGS,
        world.namespace,
        resource_version=since,
        label_selector="site=west",
        timeout_seconds=world.watch_seconds,
    )

    async with aclosing(stream) as events:
        await anext(events)
        made = await world.api.create(THINGS, world.namespace, world.thing("one", {"site": "east"}))
        seen_meanwhile = [event async for event in events]

    assert {event.type for event in seen_meanwhile} == {"BOOKMARK"}
    reached = seen_meanwhile[-1].object["metadata"]["resourceVersion"]
    assert int(reached) >= int(made["metadata"]["resourceVersion"])
    assert changes(await seen(world, reached)) == []


async def test_a_watch_with_a_selector_sees_a_relabelled_object_come_and_go(world: KubeWorld):
    since = (await world.api.list(THINGS, world.namespace)).resource_version
    await world.api.create(THINGS, world.namespace, world.thing("one", {"site": "east"}))
    for site in ("west", "east"):
        patch = {"metadata": {"labels": {"site": site}}}
        await world.api.patch(THINGS, world.namespace, "one", patch, kind="merge")

    events = await seen(world, since, "site=west")

    assert changes(events) == [("ADDED", "one"), ("DELETED", "one")]


async def test_a_watch_from_before_the_compaction_is_gone(world: KubeWorld):
    await world.api.create(THINGS, world.namespace, world.thing("one"))
    world.compact()

    with pytest.raises(errors.Gone):
        await seen(world, "1")


async def test_an_object_that_is_not_there_is_not_found(world: KubeWorld):
    for attempt in (
        world.api.get(THINGS, world.namespace, "one"),
        world.api.delete(THINGS, world.namespace, "one"),
        world.api.patch(THINGS, world.namespace, "one", {"spec": {}}, kind="merge"),
        world.api.get(CONFIG_MAPS, world.namespace, "one"),
    ):
        with pytest.raises(errors.NotFound, match="one"):
            await attempt


async def test_creating_in_a_missing_namespace_names_the_namespace(world: KubeWorld):
    body = {"metadata": {"name": "settings", "namespace": "nowhere"}}

    with pytest.raises(errors.NotFound, match="nowhere"):
        await world.api.create(CONFIG_MAPS, "nowhere", body)


async def test_listing_in_a_missing_namespace_gives_nothing(world: KubeWorld):
    assert (await world.api.list(THINGS, "nowhere")).items == ()


async def test_a_kind_without_definition_is_told_from_a_missing_object(world: KubeWorld):
    for attempt in (
        world.api.list(ABSENTS, world.namespace),
        world.api.get(ABSENTS, world.namespace, "one"),
        world.api.create(ABSENTS, world.namespace, {"kind": "Absent", "metadata": {"name": "one"}}),
    ):
        with pytest.raises(errors.NoSuchKind, match=r"absents\.isthmus\.test.*CustomResourceDefinitions"):
            await attempt


async def test_watching_a_kind_without_definition_says_so(world: KubeWorld):
    with pytest.raises(errors.NoSuchKind):
        await anext(world.api.watch(ABSENTS, world.namespace, resource_version="1"))


async def test_a_name_can_be_taken_only_once(world: KubeWorld):
    await world.api.create(THINGS, world.namespace, world.thing("one"))

    with pytest.raises(errors.AlreadyExists, match="one"):
        await world.api.create(THINGS, world.namespace, world.thing("one"))


async def test_a_replacement_of_an_outdated_version_conflicts(world: KubeWorld):
    old = await world.api.create(THINGS, world.namespace, world.thing("one", size=1))
    await world.api.patch(THINGS, world.namespace, "one", {"spec": {"size": 2}}, kind="merge")

    with pytest.raises(errors.Conflict):
        await world.api.replace(THINGS, world.namespace, "one", old | {"spec": {"size": 3}})


async def test_a_replacement_takes_the_place_of_the_whole_content(world: KubeWorld):
    old = await world.api.create(THINGS, world.namespace, world.thing("one", size=1, colour="red"))

    new = await world.api.replace(THINGS, world.namespace, "one", old | {"spec": {"size": 2}})

    assert new["spec"] == {"size": 2}
    assert new["metadata"]["uid"] == old["metadata"]["uid"]
    assert new["metadata"]["resourceVersion"] != old["metadata"]["resourceVersion"]


async def test_a_replacement_that_changes_nothing_keeps_the_version(world: KubeWorld):
    old = await world.api.create(THINGS, world.namespace, world.thing("one", size=1))

    new = await world.api.replace(THINGS, world.namespace, "one", old)

    assert new["metadata"]["resourceVersion"] == old["metadata"]["resourceVersion"]


async def test_a_replacement_without_a_version_is_refused_naming_the_field(world: KubeWorld):
    await world.api.create(THINGS, world.namespace, world.thing("one"))

    with pytest.raises(errors.Refused, match=r"metadata\.resourceVersion"):
        await world.api.replace(THINGS, world.namespace, "one", world.thing("one", size=1))


async def test_an_invalid_name_is_refused_naming_the_field(world: KubeWorld):
    with pytest.raises(errors.Refused, match=r"metadata\.name"):
        await world.api.create(CONFIG_MAPS, world.namespace, {"metadata": {"name": "Not_A_Name"}})


async def test_a_merge_patch_leaves_the_other_fields_and_removes_by_null(world: KubeWorld):
    await world.api.create(THINGS, world.namespace, world.thing("one", size=1, colour="red", shape="round"))

    patch = {"spec": {"size": 2, "colour": None}}
    new = await world.api.patch(THINGS, world.namespace, "one", patch, kind="merge")

    assert new["spec"] == {"size": 2, "shape": "round"}


async def test_an_apply_patch_creates_and_later_drops_what_it_no_longer_says(world: KubeWorld):
    first = world.thing("one", size=1, colour="red")
    await world.api.patch(THINGS, world.namespace, "one", first, kind="apply")
    await world.api.patch(THINGS, world.namespace, "one", {"spec": {"shape": "round"}}, kind="merge")

    new = await world.api.patch(THINGS, world.namespace, "one", world.thing("one", size=2), kind="apply")

    assert new["spec"] == {"size": 2, "shape": "round"}


async def test_a_delete_meant_for_an_earlier_object_of_that_name_conflicts(world: KubeWorld):
    made = await world.api.create(THINGS, world.namespace, world.thing("one"))
    uid = made["metadata"]["uid"]

    with pytest.raises(errors.Conflict):
        await world.api.delete(THINGS, world.namespace, "one", uid="another")
    await world.api.delete(THINGS, world.namespace, "one", uid=uid)

    with pytest.raises(errors.NotFound):
        await world.api.get(THINGS, world.namespace, "one")


async def test_a_token_of_a_service_account_can_be_issued(world: KubeWorld):
    await world.api.create(SERVICE_ACCOUNTS, world.namespace, {"metadata": {"name": "member"}})

    assert await world.api.create_token(world.namespace, "member", 3600)


async def test_a_token_of_a_missing_service_account_is_not_found(world: KubeWorld):
    with pytest.raises(errors.NotFound, match="member"):
        await world.api.create_token(world.namespace, "member", 3600)


async def first_event(api: KubeApi, namespace: str) -> WatchEvent:
    async with aclosing(api.watch(THINGS, namespace, resource_version="1")) as events:
        return await anext(events)


async def assert_refused(world: KubeWorld, api: KubeApi, error: type[errors.ApiError], text: str) -> None:
    for attempt in (
        api.list(THINGS, world.namespace),
        first_event(api, world.namespace),
        api.create(THINGS, world.namespace, world.thing("one")),
    ):
        with pytest.raises(error, match=text) as refused:
            await attempt
        assert api.server in str(refused.value)


async def test_an_account_without_rights_is_forbidden(world: KubeWorld):
    async with world.stranger() as api:
        await assert_refused(world, api, errors.Forbidden, r"things\.isthmus\.test.*grant")


async def test_a_revoked_token_is_unauthorized(world: KubeWorld):
    async with world.revoked() as api:
        await assert_refused(world, api, errors.Unauthorized, "issue a new one")


async def test_a_server_of_another_authority_is_not_trusted(world: KubeWorld):
    async with world.mistrusting() as api:
        await assert_refused(world, api, errors.BadCertificate, "give the CA certificate")


async def test_a_server_that_is_not_there_is_unavailable(world: KubeWorld):
    async with world.misdirected() as api:
        await assert_refused(world, api, errors.Unavailable, "can be reached")


async def test_several_calls_run_at_once(world: KubeWorld):
    async with asyncio.TaskGroup() as group:
        for number in range(5):
            body = world.thing(f"thing-{number}")
            group.create_task(world.api.create(THINGS, world.namespace, body))

    assert len((await world.api.list(THINGS, world.namespace)).items) == 5

from typing import Any

import pytest

from crds.meta import Invalid, ObjectRef, Rejection
from isthmus.kube.api import WatchEvent
from isthmus.kube.resources import CONFIG_MAPS
from isthmus.kube.store import Store


def config(name: str, value: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ns", **metadata}, "data": {"value": value}}


def parse(item: dict[str, Any]) -> str:
    value = str(item["data"]["value"])
    if value.startswith("bad"):
        ref = ObjectRef("ConfigMap", "ns", item["metadata"]["name"])
        raise Invalid(Rejection(ref, "data.value", f"{value} is bad"))
    return value


@pytest.fixture
def store() -> Store[str]:
    return Store(CONFIG_MAPS, parse)


def test_a_new_store_is_empty_and_not_synced(store):
    view = store.view()

    assert (dict(view.records), view.invalid, view.synced, view.error) == ({}, (), False, "")


def test_a_list_gives_records_by_key_and_sets_the_refused_apart(store):
    assert store.replace([config("a", "1"), config("b", "bad")])

    view = store.view()
    assert view.records == {("ns", "a"): "1"}
    assert [str(refusal) for refusal in view.invalid] == ["ConfigMap ns/b: data.value: bad is bad"]
    assert view.synced


def test_an_empty_list_syncs(store):
    assert store.replace([])
    assert store.view().synced


def test_a_list_drops_what_is_no_longer_there(store):
    store.replace([config("a", "1"), config("b", "2"), config("c", "bad")])

    store.replace([config("b", "2")])

    assert store.view().records == {("ns", "b"): "2"}
    assert store.view().invalid == ()


def test_the_same_list_again_is_no_news(store):
    store.replace([config("a", "1"), config("b", "bad")])
    before = store.view()

    assert not store.replace([config("b", "bad"), config("a", "1", resourceVersion="7")])
    assert store.view() is before


def test_changes_are_applied_one_by_one(store):
    store.replace([config("a", "1")])

    assert store.apply(WatchEvent("ADDED", config("b", "2")))
    assert store.apply(WatchEvent("MODIFIED", config("a", "3")))
    assert store.view().records == {("ns", "a"): "3", ("ns", "b"): "2"}

    assert store.apply(WatchEvent("DELETED", config("a", "3")))
    assert store.view().records == {("ns", "b"): "2"}


def test_an_object_that_becomes_bad_leaves_the_records_and_comes_back_when_good_again(store):
    store.replace([config("a", "1")])

    assert store.apply(WatchEvent("MODIFIED", config("a", "bad")))
    assert (dict(store.view().records), len(store.view().invalid)) == ({}, 1)

    assert store.apply(WatchEvent("MODIFIED", config("a", "bad in another way")))
    assert "another way" in str(store.view().invalid[0])

    assert store.apply(WatchEvent("MODIFIED", config("a", "1")))
    assert (dict(store.view().records), store.view().invalid) == ({("ns", "a"): "1"}, ())


def test_deleting_a_refused_object_is_news(store):
    store.replace([config("a", "bad")])

    assert store.apply(WatchEvent("DELETED", config("a", "bad")))
    assert store.view().invalid == ()


def test_a_change_of_what_the_record_does_not_hold_is_no_news(store):
    store.replace([config("a", "1")])

    assert not store.apply(WatchEvent("MODIFIED", config("a", "1", annotations={"x": "y"})))
    assert not store.apply(WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": "9"}}))
    assert not store.apply(WatchEvent("DELETED", config("never seen", "1")))


def test_an_error_leaves_the_records_and_is_news_once(store):
    store.replace([config("a", "1")])

    assert store.note_error("the server is away")
    assert not store.note_error("the server is away")
    assert store.view().records == {("ns", "a"): "1"}
    assert store.view().error == "the server is away"

    assert store.note_error("")
    assert store.view().error == ""


def test_a_view_does_not_change_afterwards(store):
    store.replace([config("a", "1")])
    before = store.view()

    store.apply(WatchEvent("DELETED", config("a", "1")))

    assert before.records == {("ns", "a"): "1"}

"""A store that follows an API server through everything that happens to a watch, in virtual time."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from isthmus.kube.errors import ApiError, Forbidden, Gone, Throttled, Unauthorized, Unavailable
from isthmus.kube.resources import CONFIG_MAPS
from isthmus.kube.store import Store
from isthmus.kube.watch import reflect
from tests.fakes.clock import FakeClock, settle
from tests.fakes.kubeapi import FakeKube


def config(name: str, value: str = "", **labels: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "labels": labels}
    return {"kind": "ConfigMap", "metadata": metadata, "data": {"value": value}}


@dataclass
class Following:
    """A running `reflect`, and how often it called for a pass."""

    api: FakeKube
    clock: FakeClock
    store: Store[str]
    news: int = 0

    def note(self) -> None:
        self.news += 1

    def names(self) -> list[str]:
        return sorted(name for _, name in self.store.view().records)

    def calls(self, verb: str) -> int:
        return sum(call.verb == verb for call in self.api.calls)


@asynccontextmanager
async def following(*names: str, refusal: type[ApiError] | None = None, selector: str = ""):
    api = FakeKube([config(name) for name in names])
    if refusal:
        api.refuse(refusal)
    clock = FakeClock()
    store = Store(CONFIG_MAPS, lambda item: str(item["data"]["value"]))
    it = Following(api, clock, store)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(reflect(api, store, "default", clock, it.note, selector))
        await settle()
        yield it
        task.cancel()


async def test_the_store_is_filled_by_a_list():
    async with following("a", "b") as it:
        assert it.names() == ["a", "b"]
        assert it.store.view().synced
        assert it.news == 1


async def test_the_store_follows_changes():
    async with following("a") as it:
        it.api.put(config("b"))
        it.api.remove(CONFIG_MAPS, "default", "a")
        await settle()

        assert it.names() == ["b"]
        assert it.news == 3
        assert it.calls("list") == 1


async def test_a_change_that_means_nothing_to_us_calls_for_no_pass():
    async with following("a") as it:
        it.api.put(config("a", weather="fine"))
        it.api.send_bookmark()
        await settle()

        assert it.news == 1


async def test_only_selected_objects_are_followed():
    async with following(selector="site=west") as it:
        it.api.put(config("east", site="east"))
        it.api.put(config("west", site="west"))
        await settle()

        assert it.names() == ["west"]


async def test_a_watch_that_ends_in_order_resumes_without_a_list_or_an_error():
    async with following("a") as it:
        it.api.drop_watches()
        it.api.put(config("b"))
        await it.clock.advance(1)

        assert it.names() == ["a", "b"]
        assert (it.calls("list"), it.calls("watch")) == (1, 2)
        assert it.store.view().error == ""


async def test_a_server_restored_from_a_backup_is_listed_anew_once_its_silence_is_noticed():
    async with following("a", "b") as it:
        it.api.lose(CONFIG_MAPS, "default", "b")
        await it.clock.advance(65)
        it.api.drop_watches()
        await settle()

        assert it.names() == ["a"]
        it.api.put(config("c"))
        await settle()
        assert it.names() == ["a", "c"]


async def test_a_broken_watch_keeps_the_store_and_resumes_from_the_version_reached():
    async with following("a") as it:
        await it.clock.advance(100)
        it.api.drop_watches(Unavailable)
        await settle()
        assert it.names() == ["a"]
        assert "cannot watch configmaps in namespace default" in it.store.view().error

        it.api.put(config("b"))
        await it.clock.advance(1)
        assert it.names() == ["a", "b"]
        assert it.calls("list") == 1
        assert it.store.view().error == ""


async def test_a_bookmark_moves_the_version_to_resume_from():
    async with following("a") as it:
        it.api.put({"kind": "Secret", "metadata": {"name": "other", "namespace": "default"}})
        it.api.send_bookmark()
        await settle()
        it.api.compact()
        it.api.drop_watches(Unavailable)
        await it.clock.advance(1)

        assert it.calls("list") == 1


async def test_an_expired_version_is_listed_anew_without_emptying_the_store():
    async with following("a", "b") as it:
        await it.clock.advance(100)
        it.api.refuse(Unavailable)
        await settle()
        it.api.remove(CONFIG_MAPS, "default", "a")
        it.api.put(config("c"))
        it.api.compact()
        assert it.names() == ["a", "b"]
        news = it.news

        it.api.accept_all()
        await it.clock.advance(2)

        assert it.names() == ["b", "c"]
        assert it.calls("list") == 2
        assert it.news == news + 2  # the new content in one step, and the end of the error


async def test_an_expiry_in_the_middle_of_a_watch_is_no_error():
    async with following("a") as it:
        await it.clock.advance(100)
        it.api.drop_watches(Gone)
        await settle()

        assert it.calls("list") == 2
        assert it.store.view().error == ""


async def test_a_server_away_at_the_start_is_waited_for():
    async with following("a", refusal=Unavailable) as it:
        await it.clock.advance(600)
        view = it.store.view()
        assert not view.synced
        assert "cannot list configmaps" in view.error
        assert it.news == 1

        it.api.accept_all()
        await it.clock.advance(30)
        assert it.names() == ["a"]
        assert it.store.view().error == ""


async def test_a_long_outage_is_asked_about_ever_less_often_and_ends_with_a_list():
    async with following("a") as it:
        it.api.refuse(Unavailable)
        await it.clock.advance(3600)
        assert it.names() == ["a"]
        assert 120 < it.calls("watch") + it.calls("list") < 300

        before = it.calls("list")
        it.api.accept_all()
        await it.clock.advance(31)
        assert it.calls("list") == before + 1
        assert it.store.view().error == ""


@pytest.mark.parametrize("refusal", [Forbidden, Unauthorized, Throttled])
async def test_a_refused_watch_leaves_what_the_list_gave_and_says_why(refusal):
    async with following("a", "b") as it:
        it.api.refuse(refusal, verb="watch")
        await it.clock.advance(60)

        assert it.names() == ["a", "b"]
        assert it.store.view().synced
        assert "cannot watch" in it.store.view().error


async def test_where_only_the_watch_is_forbidden_lists_still_bring_what_changed():
    async with following("a") as it:
        it.api.refuse(Forbidden, verb="watch")
        await it.clock.advance(60)
        it.api.put(config("b"))
        await it.clock.advance(60)

        assert it.names() == ["a", "b"]


async def test_a_refusal_is_logged_when_it_begins_and_when_it_ends():
    with structlog.testing.capture_logs() as lines:
        async with following("a") as it:
            await it.clock.advance(10)
            it.api.refuse(Unavailable, verb="watch")
            await it.clock.advance(300)
            it.api.accept_all()
            await it.clock.advance(60)

    assert [(line["event"], line["kind"]) for line in lines] == [
        ("watch_failed", "ConfigMap"),
        ("watch_recovered", "ConfigMap"),
    ]


async def test_a_server_that_ends_every_watch_at_once_is_not_stormed():
    async with following("a") as it:
        for _ in range(100):
            it.api.drop_watches()
            await it.clock.advance(1)

        assert it.calls("watch") < 20

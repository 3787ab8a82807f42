"""What only a list of several pages shows; everything else is in the contract tests."""

import json
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from isthmus.kube import errors
from isthmus.kube.access import Access
from isthmus.kube.client import connect
from isthmus.kube.resources import NODES
from isthmus.kube.transport import Limits
from tests.apiserver import free_ports


@asynccontextmanager
async def answering(*pages: tuple[int, dict[str, Any]]):
    """A server that gives these answers in turn, and the queries that it saw."""
    left, queries = list(pages), []

    async def answer(received: web.BaseRequest) -> web.StreamResponse:
        queries.append(dict(received.query))
        status, body = left.pop(0)
        return web.Response(status=status, body=json.dumps(body).encode() + b"\n")

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with connect(Access(f"http://127.0.0.1:{port}"), Limits(page=2)) as api:
        yield api, queries
    await runner.cleanup()


def page(names: str, position: str = "") -> tuple[int, dict[str, Any]]:
    items = [{"metadata": {"name": name}} for name in names]
    return 200, {"metadata": {"resourceVersion": "7", "continue": position}, "items": items}


async def test_pages_are_asked_for_until_there_are_no_more():
    async with answering(page("ab", "next"), page("c")) as (api, queries):
        listing = await api.list(NODES)

    assert [item["metadata"]["name"] for item in listing.items] == ["a", "b", "c"]
    assert listing.resource_version == "7"
    assert queries == [{"limit": "2"}, {"limit": "2", "continue": "next"}]


async def test_a_list_whose_pages_expired_is_asked_for_at_once():
    expired = (410, {"message": "The provided continue parameter is too old"})

    async with answering(page("ab", "next"), expired, page("abc")) as (api, queries):
        listing = await api.list(NODES, label_selector="x=y")

    assert [item["metadata"]["name"] for item in listing.items] == ["a", "b", "c"]
    assert queries[-1] == {"labelSelector": "x=y"}


async def test_a_list_without_items_is_empty():
    async with answering((200, {"metadata": {"resourceVersion": "7"}, "items": None})) as (api, _):
        assert (await api.list(NODES)).items == ()


async def test_an_answer_that_is_no_list_is_suspected():
    async with answering((200, {"hello": "world"})) as (api, _):
        with pytest.raises(errors.Unavailable, match="is this an API server"):
            await api.list(NODES)


@pytest.mark.parametrize(
    "line",
    [{"hello": "world"}, {"type": "ADDED"}, {"type": "NEWS", "object": {}}, {"type": "ADDED", "object": 1}],
)
async def test_a_line_that_is_no_watch_event_is_suspected(line):
    async with answering((200, line)) as (api, _):
        events = api.watch(NODES, resource_version="5", timeout_seconds=9)
        assert (await anext(events)).type == "BOOKMARK"
        with pytest.raises(errors.Unavailable, match="is this an API server"):
            await anext(events)


async def test_an_error_in_the_middle_of_a_watch_is_classified():
    status = {"kind": "Status", "code": 410, "message": "too old resource version"}

    async with answering((200, {"type": "ERROR", "object": status})) as (api, queries):
        events = api.watch(NODES, resource_version="5", timeout_seconds=9)
        assert (await anext(events)).type == "BOOKMARK"
        with pytest.raises(errors.Gone, match="too old resource version"):
            await anext(events)

    assert queries == [
        {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": "5",
            "timeoutSeconds": "9",
        }
    ]

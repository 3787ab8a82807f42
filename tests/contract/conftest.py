"""Fixtures shared by the contract tests: the same tests run against a fake and against the real thing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.apiserver import ApiServer, api_server
from tests.contract.kubeworld import KubeWorld, fake_world, real_world


@pytest.fixture(scope="session")
def real_api_server() -> Iterator[ApiServer]:
    with api_server() as running:
        yield running


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.lab)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[KubeWorld]:
    """An API server, fake or real, with one empty namespace and the kind `Thing`."""
    opened = fake_world()
    if request.param == "real":
        opened = real_world(request.getfixturevalue("real_api_server"))
    async with opened as world:
        yield world

"""Joined labs for the end-to-end tests.

A lab costs about fifteen seconds; tests that leave it as they found it share one per kube-proxy mode, and
those that join, leave or break things for good bring their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from isthmus.lab import clusterset
from isthmus.lab import lab as labs
from isthmus.lab.lab import Lab
from isthmus.lab.topology import ProxyMode, default_topology
from tests.e2e.flows import target
from tests.e2e.steady import Steady, steady_flow
from tests.e2e.told import await_well

MODES = ("iptables", "nftables")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in item.nodeid:
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def joined(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Two joined clusters; the parameter is kube-proxy's mode (iptables unless given)."""
    mode: ProxyMode = getattr(request, "param", "iptables")
    with _joined_lab(f"e2e{mode}", mode) as lab:
        yield lab


@pytest.fixture(scope="session")
def bad_lab() -> Iterator[Lab]:
    """Two joined clusters for the tests that put something bad in and take it out again."""
    with _joined_lab("e2ebad", "iptables") as lab:
        yield lab


@pytest.fixture(scope="module")
def flow(bad_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Steady]:
    """A ping between innocent Pods of both clusters, through all tests of a module."""
    await_well(bad_lab, "east", "west")
    address = target(bad_lab, "west", "worker", "Pod IP").address
    log = tmp_path_factory.mktemp("flow") / "ping.log"
    with steady_flow(bad_lab, "east/web-worker", address, log) as running:
        yield running


@contextmanager
def _joined_lab(name: str, mode: ProxyMode) -> Iterator[Lab]:
    labs.down(print, name)
    lab = labs.up(default_topology(mode), print, name)
    try:
        clusterset.join_all(lab, print)
        yield lab
    finally:
        labs.down(print, name)

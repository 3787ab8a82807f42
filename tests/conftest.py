"""Rules of the whole suite: root where it is needed is said at once, and no skip passes unnoticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ALLOWED = Path(__file__).with_name("skips.txt")
unlisted = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[unlisted] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    privileged = [item for item in items if item.get_closest_marker("root") or item.get_closest_marker("lab")]
    if privileged and os.geteuid() != 0:
        pytest.exit(
            "these tests make network namespaces: run them as root, or run `make check`", returncode=1
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Note every skip that `tests/skips.txt` (lines of `test: missing capability`) does not list."""
    report = yield
    listed = {line.split(": ")[0] for line in ALLOWED.read_text(encoding="utf-8").splitlines()}
    if report.skipped and item.nodeid not in listed:
        item.config.stash[unlisted].append(item.nodeid)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.stash[unlisted]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for nodeid in config.stash[unlisted]:
        terminalreporter.write_line(f"skipped, and not listed in tests/skips.txt: {nodeid}", red=True)

"""The command line as its user meets it: help, usage faults and exit codes, without any cluster."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from broker.info import BrokerInfo, encode_info


def isthmus(*words: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "isthmus.cli", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": str(home or "/nonexistent"), "PATH": "/usr/bin:/bin", "COLUMNS": "100"},
        check=False,
    )


def broker_file(directory: Path) -> str:
    path = directory / "broker-info.subm"
    path.write_text(encode_info(BrokerInfo("https://192.0.2.1:6443", "broker", b"CA", "token", b"k" * 48)))
    return str(path)


def test_help_names_every_command():
    ended = isthmus("--help")

    assert ended.returncode == 0
    for command in ("deploy-broker", "join", "leave", "show", "lab", "version"):
        assert command in ended.stdout


def test_help_loads_no_kubernetes_client():
    watch = (
        "import sys, isthmus.cli.__main__ as m; print(sorted(n for n in sys.modules if n.split('.')[0] in "
    )
    watch += "('kubernetes', 'aiohttp', 'yaml', 'pyroute2')))"

    ended = subprocess.run([sys.executable, "-c", watch], capture_output=True, text=True, check=True)

    assert ended.stdout == "[]\n"


def test_help_is_there_at_once():
    isthmus("--help")
    spent = []
    for _ in range(3):
        started = time.monotonic()
        isthmus("--help")
        spent.append(time.monotonic() - started)

    # The goal is 0.3 s on an idle machine; the least of three keeps a busy one from failing it.
    assert min(spent) < 1.0


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("join",), "FILE"),
        (("join", "x", "--nattport", "banana"), "--nattport"),
        (("show", "connections", "-o", "xml"), "--output"),
        (("nonsense",), "nonsense"),
    ],
)
def test_wrong_usage_ends_with_2_and_names_what_is_wrong(words: tuple[str, ...], option: str):
    ended = isthmus(*words)

    assert ended.returncode == 2
    assert option in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_broken_join_file_is_one_line_and_ends_with_2(tmp_path: Path):
    path = tmp_path / "broker-info.subm"
    path.write_text("nonsense")

    ended = isthmus("join", str(path))

    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "no usable broker file" in ended.stderr


def test_a_missing_kubeconfig_is_one_line_that_says_how_to_give_one(tmp_path: Path):
    ended = isthmus("join", broker_file(tmp_path), home=tmp_path)

    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "--kubeconfig" in ended.stderr


@pytest.mark.parametrize("subject", ["clusters", "endpoints", "connections", "gateways"])
def test_a_cluster_that_does_not_answer_ends_with_1(tmp_path: Path, subject: str):
    config = tmp_path / "config"
    config.write_text(
        "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:9'}}]\n"
        "users: [{name: u, user: {token: x}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n"
    )

    ended = isthmus("show", subject, "--kubeconfig", str(config))

    assert ended.returncode == 1
    assert ended.stderr.startswith(" ✗ c: cannot list ")
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_the_lab_has_its_own_help_and_gets_every_word():
    ended = isthmus("lab", "--help")

    assert ended.returncode == 0
    assert "Usage: isthmus lab" in ended.stdout


def test_the_version_is_told():
    ended = isthmus("version")

    assert ended.returncode == 0
    assert ended.stdout.startswith("isthmus version: ")

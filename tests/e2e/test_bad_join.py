"""`isthmus join` with something wrong: one line that says what to do, an exit code, nothing written."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from broker.access import BROKER_NAMESPACE
from isthmus.cli.names import CONFIG_MAP
from isthmus.lab import clusterset
from isthmus.lab.kubelet import NAMESPACE
from isthmus.lab.lab import Lab
from isthmus.lab.process import Completed
from tests.e2e.breaking import send

KINDS = "configmaps,secrets,serviceaccounts,roles,rolebindings"
WHOLE = "customresourcedefinitions,namespaces,nodes,clusterroles,clusterrolebindings"
VERSIONS = "jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.resourceVersion}{'\\n'}{end}"

Content = dict[str, Any]


@dataclass(frozen=True)
class BadArguments:
    """Words that replace or follow those of a good join, and what the refusal says."""

    title: str
    words: tuple[str, ...]
    says: str
    status: int


@dataclass(frozen=True)
class BadFile:
    """What becomes of a good broker file, and what the refusal says."""

    title: str
    spoil: Callable[[bytes], bytes]
    says: str
    status: int = 2


ARGUMENTS = (
    BadArguments("a used id", ("--clusterid", "east"), "'east' is used by another cluster", 1),
    BadArguments("capitals in the id", ("--clusterid", "North"), "North", 2),
    BadArguments("an over-long id", ("--clusterid", "n" * 64), "63", 2),
    BadArguments("east's Pod CIDR", ("--clustercidr", "10.10.0.0/16"), "east", 1),
    BadArguments("a part of east's Service CIDR", ("--clustercidr", "10.15.7.0/24"), "east", 1),
    BadArguments("our own Service CIDR", ("--clustercidr", "10.25.0.0/16"), "10.25.0.0/16", 2),
    BadArguments("host bits", ("--clustercidr", "10.20.0.1/16"), "10.20.0.0/16", 2),
    BadArguments("everything", ("--clustercidr", "0.0.0.0/0"), "0.0.0.0/0", 2),
    BadArguments("no network", ("--clustercidr", "pods"), "pods", 2),
    BadArguments("an unknown driver", ("--cable-driver", "pigeon"), "pigeon", 2),
    BadArguments("no port", ("--nattport", "70000"), "70000", 2),
    BadArguments("an unknown node", ("--gateway-node", "nowhere"), "nowhere", 2),
)


def edited(change: Callable[[Content], object]) -> Callable[[bytes], bytes]:
    """Change what a broker file says, and leave its form as it is."""

    def spoil(good: bytes) -> bytes:
        content: Content = json.loads(base64.urlsafe_b64decode(good))
        change(content)
        return base64.urlsafe_b64encode(json.dumps(content).encode())

    return spoil


def moved(content: Content) -> None:
    content["brokerURL"] = "https://127.0.0.1:9"


def unknown_token(content: Content) -> None:
    content["ClientToken"]["data"]["token"] = base64.b64encode(b"nobody").decode()


def unknown_namespace(content: Content) -> None:
    content["ClientToken"]["data"]["namespace"] = base64.b64encode(b"elsewhere").decode()


FILES = (
    BadFile("empty", lambda good: b"", "no usable broker file"),
    BadFile("truncated", lambda good: good[: len(good) // 2], "cut off"),
    BadFile("binary", lambda good: bytes(range(256)), "no usable broker file"),
    BadFile("a kubeconfig", lambda good: b"apiVersion: v1\nkind: Config\n", "no usable broker file"),
    BadFile("foreign JSON", lambda good: base64.b64encode(b'{"kind": "Pod"}'), "holds no brokerURL"),
    BadFile("without a token", edited(lambda content: content.pop("ClientToken")), "holds no ClientToken"),
    BadFile("without a key", edited(lambda content: content.pop("IPSecPSK")), "holds no IPSecPSK"),
    BadFile("of a broker that is away", edited(moved), "127.0.0.1:9", 1),
    BadFile("with a revoked token", edited(unknown_token), "token", 1),
    BadFile("of another namespace", edited(unknown_namespace), "elsewhere", 1),
)


@pytest.fixture(scope="module")
def before(bad_lab: Lab) -> Iterator[list[str]]:
    """All that is there while west takes itself for no member: running daemons do not miss its settings."""
    words = ("-n", NAMESPACE, "get", "configmap", CONFIG_MAP, "-o", "json")
    settings: Content = json.loads(bad_lab.kubectl("west", *words))
    bad_lab.kubectl("west", "-n", NAMESPACE, "delete", "configmap", CONFIG_MAP)
    try:
        yield everything(bad_lab)
    finally:
        kept = {key: settings["metadata"][key] for key in ("name", "namespace", "labels")}
        send(bad_lab, "west", settings | {"metadata": kept}, "create")


def everything(lab: Lab) -> list[str]:
    """All that a join may write, with its version."""
    found = [
        lab.kubectl("west", "-n", NAMESPACE, "get", KINDS, "-o", VERSIONS),
        lab.kubectl("west", "get", WHOLE, "-o", VERSIONS),
        lab.kubectl("east", "-n", BROKER_NAMESPACE, "get", KINDS, "-o", VERSIONS),
    ]
    return "".join(found).splitlines()


def assert_refused(done: Completed, says: str, status: int) -> None:
    assert done.status == status, done
    refusals = [line for line in done.stderr.splitlines() if "✗" in line]
    assert len(refusals) == 1, done.stderr
    assert done.stderr.splitlines()[-1] == refusals[0], done.stderr
    assert says in refusals[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("bad", ARGUMENTS, ids=lambda bad: bad.title)
def test_a_bad_argument_is_refused_in_one_line(bad_lab: Lab, before: list[str], bad: BadArguments) -> None:
    good = clusterset.join_command(bad_lab, "west")
    chosen = ["--clusterid", "north"] if "--clusterid" not in bad.words else []

    done = clusterset.cli(bad_lab, *good, *chosen, *bad.words)

    assert_refused(done, bad.says, bad.status)
    assert everything(bad_lab) == before


@pytest.mark.parametrize("bad", FILES, ids=lambda bad: bad.title)
def test_a_bad_broker_file_is_refused_in_one_line(
    bad_lab: Lab, before: list[str], tmp_path: Path, bad: BadFile
) -> None:
    spoilt = tmp_path / "broker-info.subm"
    spoilt.write_bytes(bad.spoil((bad_lab.paths.directory / clusterset.BROKER_FILE).read_bytes()))
    command, _, *options = clusterset.join_command(bad_lab, "west")

    done = clusterset.cli(bad_lab, command, str(spoilt), *options, "--clusterid", "north")

    assert_refused(done, bad.says, bad.status)
    assert everything(bad_lab) == before


def test_a_broker_file_that_is_not_there(bad_lab: Lab, before: list[str], tmp_path: Path) -> None:
    command, _, *options = clusterset.join_command(bad_lab, "west")

    done = clusterset.cli(bad_lab, command, str(tmp_path / "lost.subm"), *options)

    assert_refused(done, "cannot read", 2)
    assert everything(bad_lab) == before

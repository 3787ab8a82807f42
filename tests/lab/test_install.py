"""A cluster's membership on a lab: broker, join, daemons on the nodes, removal, leave; and every refusal."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from broker.info import encode_info
from isthmus.cli.brokerfile import read_broker_file
from isthmus.lab import clusterset, install, lab, process
from isthmus.lab.topology import default_topology
from isthmus.reconcile.errors import Fatal

pytestmark = pytest.mark.lab

NAME = "testinstall"
CLUSTERS = ("east", "west")
BROKER_NAMESPACE = "submariner-k8s-broker"
NODE_STATE = """
ip -br link; ip -br addr; ip rule; ip xfrm policy; ip -4 route show table all
ip -6 route show table all | grep -v fe80
iptables-save | grep -v ^# | sed 's/\\[[0-9:]*\\]//'; ipset save
sysctl -a -r 'rp_filter|forwarding|arp_ignore|mtu_prob' 2>/dev/null
ls /run /run/secrets 2>/dev/null
true
"""


def silent(_line: str) -> None:
    """The tests look at what is there, not at what was reported."""


@pytest.fixture(scope="module")
def running() -> Iterator[lab.Lab]:
    """A lab with a broker in east that nobody has joined yet."""
    lab.down(silent, NAME)
    up = lab.up(default_topology(), silent, NAME)
    try:
        said(up, "deploy-broker", "--context", "east")
        yield up
    finally:
        lab.down(silent, NAME)


def isthmus(running: lab.Lab, *words: str, directory: Path | None = None) -> process.Completed:
    command = [
        sys.executable,
        "-P",
        "-m",
        "isthmus.cli",
        *words,
        "--kubeconfig",
        str(running.paths.kubeconfig),
    ]
    return process.run(command, cwd=directory or running.paths.directory, timeout=60)


def said(running: lab.Lab, *words: str) -> str:
    """What a command that must succeed told its user."""
    ended = isthmus(running, *words)
    assert ended.status == 0, ended.stderr
    return ended.stderr


def refused(running: lab.Lab, *words: str) -> str:
    """The one line in which a command that must fail said why."""
    ended = isthmus(running, *words)
    assert ended.status in (1, 2), ended
    last = ended.stderr.strip().splitlines()[-1].strip()
    assert last.startswith("✗ "), ended.stderr
    assert "Traceback" not in ended.stderr
    return last


def join_words(running: lab.Lab, cluster: str) -> list[str]:
    found = running.topology.cluster(cluster)
    ranges = ["--clustercidr", str(found.pod_cidr), "--servicecidr", str(found.service_cidr)]
    gateways = [word for node in found.nodes if node.gateway for word in ("--gateway-node", node.name)]
    return ["join", clusterset.BROKER_FILE, "--context", cluster, "--clusterid", cluster, *ranges, *gateways]


def state(running: lab.Lab) -> dict[str, str]:
    """Everything of the nodes' networks that a daemon could change, as text."""
    return {node.name: running.check(node.name, ["sh", "-c", NODE_STATE]) for node in running.topology.nodes}


def at_broker(running: lab.Lab) -> set[str]:
    """Names of everything at the broker that belongs to a member."""
    kinds = "clusters.submariner.io,endpoints.submariner.io,sa,secrets,roles,rolebindings"
    listed = running.kubectl("east", "-n", BROKER_NAMESPACE, "get", kinds, "-o", "name")
    return {line for line in listed.split() if "west" in line or "east" in line}


def broker_file(running: lab.Lab, tmp_path: Path, **changes: object) -> str:
    """The broker file with some of its content replaced."""
    info = read_broker_file(running.paths.directory / clusterset.BROKER_FILE)
    path = tmp_path / "changed.subm"
    path.write_text(encode_info(replace(info, **changes)))  # type: ignore[arg-type]
    return str(path)


def test_a_broker_is_deployed_twice_with_the_same_key(running: lab.Lab):
    path = running.paths.directory / clusterset.BROKER_FILE
    before = read_broker_file(path)

    told = said(running, "deploy-broker", "--context", "east")

    assert read_broker_file(path) == before
    assert path.stat().st_mode & 0o777 == 0o600
    assert "Custom resource definitions: unchanged" in told
    assert len(list(path.parent.glob("broker-info.subm*"))) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"server": "https://127.0.0.1:9"}, "no answer from the broker at https://127.0.0.1:9"),
        ({"token": "not.a.token"}, "does not accept the broker file's token"),
        ({"namespace": "nowhere"}, "may not do this in namespace nowhere"),
    ],
    ids=["unreachable", "revoked", "another namespace"],
)
def test_a_broker_that_cannot_be_used_is_told_apart(
    running: lab.Lab, tmp_path: Path, changes: dict[str, object], words: str
):
    file = broker_file(running, tmp_path, **changes)

    assert words in refused(running, "join", file, "--context", "west", "--clusterid", "west")
    assert "submariner-operator" not in running.kubectl("west", "get", "namespaces", "-o", "name")


def test_a_broker_with_another_certificate_is_not_trusted(running: lab.Lab, tmp_path: Path):
    other = running.plane("west").directory / "pki" / "ca.crt"
    file = broker_file(running, tmp_path, ca=other.read_bytes())

    assert "CA did not sign" in refused(running, "join", file, "--context", "west", "--clusterid", "west")


def test_an_overlap_with_a_member_is_refused_at_the_broker(running: lab.Lab):
    cluster = {
        "apiVersion": "submariner.io/v1",
        "kind": "Cluster",
        "metadata": {
            "name": "other",
            "namespace": BROKER_NAMESPACE,
            "labels": {"submariner-io/clusterID": "other"},
        },
        "spec": {
            "cluster_id": "other",
            "color_codes": ["blue"],
            "service_cidr": ["10.99.0.0/16"],
            "cluster_cidr": ["10.20.128.0/17"],
            "global_cidr": [],
        },
    }
    path = running.paths.directory / "other.json"
    path.write_text(json.dumps(cluster))
    running.kubectl("east", "apply", "-f", str(path))
    try:
        assert "overlaps 10.20.128.0/17 of member cluster 'other'" in refused(
            running, *join_words(running, "west")
        )
    finally:
        running.kubectl("east", "delete", "-f", str(path))


def test_installing_without_a_join_says_what_to_do(running: lab.Lab):
    with pytest.raises(Fatal, match="west has not joined: run 'isthmus join'"):
        install.install(running, ["west"], silent)


def test_a_member_is_connected_and_leaves_nothing_behind(running: lab.Lab):
    before = state(running)
    for cluster in CLUSTERS:
        said(running, *join_words(running, cluster))
    install.install(running, CLUSTERS, silent)
    clusterset.wait_connected(running, CLUSTERS)
    try:
        _assert_served(running)
        _assert_rights_suffice(running)
        assert "Settings: unchanged" in said(running, *join_words(running, "west"))
        assert "used by another cluster" in _stranger(running)
    finally:
        install.uninstall(running, CLUSTERS, silent)

    assert state(running) == before
    for cluster in reversed(CLUSTERS):
        said(running, "leave", clusterset.BROKER_FILE, "--context", cluster)
    assert at_broker(running) == set()
    left = running.kubectl(
        "west",
        "get",
        "ns,clusterroles,clusterrolebindings,nodes",
        "-o",
        "name",
        "-l",
        "submariner.io/gateway",
    )
    assert left == ""
    assert "submariner-operator" not in running.kubectl("west", "get", "namespaces", "-o", "name")


def _assert_served(running: lab.Lab) -> None:
    target = next(node for node in running.topology.cluster("west").nodes if not node.gateway).pods[0]
    answer = running.check("east/web-worker", ["curl", "-s", "-m", "5", f"http://{target.address}:8080/"])
    assert json.loads(answer)["client"] == "10.10.1.10"


def _assert_rights_suffice(running: lab.Lab) -> None:
    """Least privilege is enough: no daemon was refused anything by an API server."""
    for log in (running.paths.directory / "log").glob("*/isthmus-*.log"):
        assert "is forbidden" not in log.read_text(), log


def _stranger(running: lab.Lab) -> str:
    """West loses its own record of the join and is then, to the broker, a cluster with a used id."""
    account = ["-n", BROKER_NAMESPACE, "annotate", "--overwrite", "serviceaccount", "cluster-west"]
    uid = running.kubectl("west", "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")
    running.kubectl("east", *account, "isthmus.io/cluster-uid=another")
    try:
        return refused(running, *join_words(running, "west"))
    finally:
        running.kubectl("east", *account, f"isthmus.io/cluster-uid={uid}")


def test_the_token_that_a_member_keeps_is_not_the_administrators(running: lab.Lab):
    said(running, *join_words(running, "west"))
    try:
        secret = running.kubectl(
            "west", "-n", "submariner-operator", "get", "secret", "submariner-broker-secret", "-o", "json"
        )
        token = base64.b64decode(json.loads(secret)["data"]["token"]).decode()
        info = read_broker_file(running.paths.directory / clusterset.BROKER_FILE)
        assert token != info.token
        way = ["--token", token, "--server", info.server, "-n", BROKER_NAMESPACE, "auth", "can-i"]
        anonymous = ["--kubeconfig", "/dev/null", "--certificate-authority", str(_ca(running))]
        for words, answer in (
            (["create", "endpoints.submariner.io"], "yes"),
            (["update", "clusters.submariner.io/west"], "yes"),
            (["update", "clusters.submariner.io/east"], "no"),
            (["get", "secrets"], "no"),
            (["create", "serviceaccounts"], "no"),
        ):
            asked = process.run([kubectl(running), *anonymous, *way, *words])
            assert asked.stdout.strip() == answer, words
    finally:
        said(running, "leave", clusterset.BROKER_FILE, "--context", "west", "--purge-crds")
    assert "submariner.io" not in running.kubectl("west", "get", "crds", "-o", "name")


def _ca(running: lab.Lab) -> Path:
    return running.plane("east").directory / "pki" / "ca.crt"


def kubectl(running: lab.Lab) -> str:
    from isthmus.lab.binaries import find_programs

    return find_programs(silent).path("kubectl")

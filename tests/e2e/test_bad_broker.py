"""Trouble with the broker: it is told where a user looks, the tunnel stays, and it ends by itself."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from broker.access import BROKER_NAMESPACE
from isthmus.cli.names import BROKER_SECRET
from isthmus.lab import clusterset, process
from isthmus.lab.controlplane import API_PORT
from isthmus.lab.install import install
from isthmus.lab.kubelet import GATEWAY
from isthmus.lab.lab import Lab
from tests.e2e.breaking import changed_secret, no_way_to_api, restart
from tests.e2e.patience import eventually
from tests.e2e.seen import MEMBERS
from tests.e2e.steady import Steady
from tests.e2e.told import await_failure, await_well, words


@pytest.fixture(autouse=True)
def tunnel_stays_and_all_ends_well(bad_lab: Lab, flow: Steady) -> Iterator[None]:
    with flow.unharmed():
        yield
        await_well(bad_lab, *MEMBERS)


def rejoin(lab: Lab, cluster: str) -> None:
    """What every message advises: join again; the kubelets then renew the daemons' files."""
    clusterset.checked_cli(lab, *clusterset.join_command(lab, cluster))
    install(lab, [cluster], print)


def test_a_broker_out_of_reach_while_the_gateway_runs_and_when_it_starts(bad_lab: Lab) -> None:
    with no_way_to_api(bad_lab, "west-gateway", "east"):
        await_failure(bad_lab, "west", "the broker: cannot", "no connection", "go on trying")

        restart(bad_lab, "west-gateway", GATEWAY)

        await_failure(bad_lab, "west", "the broker: cannot list", "no connection", "go on trying")
        eventually(lambda: assert_still_connected(bad_lab))


def assert_still_connected(lab: Lab) -> None:
    told = [word.status for word in words(lab, "west", "east") if word.kind == "Gateway"]
    assert told == ["connected"]


def test_a_revoked_token(bad_lab: Lab) -> None:
    where = ("-n", BROKER_NAMESPACE)
    secret = "cluster-west-token"
    encoded = bad_lab.kubectl("east", *where, "get", "secret", secret, "-o", "jsonpath={.data.token}")
    bad_lab.kubectl("east", *where, "delete", "secret", secret)
    eventually(lambda: assert_invalid(bad_lab, base64.b64decode(encoded).decode()))
    restart(bad_lab, "west-gateway", GATEWAY)

    await_failure(bad_lab, "west", "the broker: ", "Unauthorized", "isthmus join")

    rejoin(bad_lab, "west")


def assert_invalid(lab: Lab, token: str) -> None:
    """The API server, which remembers good tokens for ten seconds, no longer takes this one."""
    plane = lab.plane("east")
    ca = str(plane.directory / "pki" / "ca.crt")
    header = f"Authorization: Bearer {token}"
    url = f"https://{plane.address}:{API_PORT}/version"
    answer = process.check(["curl", "-sS", "--noproxy", "*", "--cacert", ca, "-H", header, url])
    assert "Unauthorized" in answer, answer


def test_the_ca_of_another_server(bad_lab: Lab) -> None:
    foreign = (bad_lab.plane("west").directory / "pki" / "ca.crt").read_bytes()
    with changed_secret(bad_lab, "west", BROKER_SECRET, "ca.crt", foreign):
        restart(bad_lab, "west-gateway", GATEWAY)

        await_failure(
            bad_lab, "west", "the broker: ", "certificate is not trusted", "give the CA certificate"
        )


def test_a_lost_namespace_takes_no_member_with_it(bad_lab: Lab) -> None:
    bad_lab.kubectl("east", "delete", "namespace", BROKER_NAMESPACE, "--wait=false")
    for member in MEMBERS:
        await_failure(bad_lab, member, "the broker: cannot", BROKER_NAMESPACE)

    eventually(lambda: assert_gone(bad_lab))
    clusterset.deploy_broker(bad_lab, "east")
    for member in MEMBERS:
        rejoin(bad_lab, member)


def assert_gone(lab: Lab) -> None:
    assert BROKER_NAMESPACE not in lab.kubectl("east", "get", "namespaces", "-o", "name")

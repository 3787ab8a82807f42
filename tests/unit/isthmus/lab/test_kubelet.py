from __future__ import annotations

from pathlib import Path

from isthmus.lab.kubelet import (
    GATEWAY,
    ROUTE_AGENT,
    ClusterFacts,
    daemons_of,
    decode_secret,
    gateway_nodes,
    plan_command,
    plan_environment,
    plan_files,
    secret_names,
)

FACTS = ClusterFacts(
    config={
        "SUBMARINER_CLUSTERID": "west",
        "BROKER_K8S_SECRET": "submariner-broker-secret",
        "CE_IPSEC_PSKSECRET": "submariner-ipsec-psk",
        "CE_IPSEC_NATTPORT": "4501",
    },
    secrets={
        "submariner-broker-secret": {"token": b"broker token", "ca.crt": b"broker CA"},
        "submariner-ipsec-psk": {"psk": b"key"},
    },
    ca=b"CA",
    api_host="10.25.0.1",
    api_port=443,
    gateways=frozenset({"gw"}),
)
ACCOUNT = Path("kubernetes.io/serviceaccount")


def test_the_route_agent_runs_everywhere_and_the_gateway_where_the_label_is():
    assert daemons_of("gw", FACTS) == (GATEWAY, ROUTE_AGENT)
    assert daemons_of("worker", FACTS) == (ROUTE_AGENT,)


def test_only_the_labels_exact_value_makes_a_gateway():
    nodes = {
        "a": {"submariner.io/gateway": "true"},
        "b": {"submariner.io/gateway": "false"},
        "c": {},
    }

    assert gateway_nodes(nodes) == {"a"}


def test_the_gateway_finds_its_account_and_both_secrets_where_a_pod_would():
    assert plan_files(GATEWAY, "own token", FACTS) == {
        ACCOUNT / "token": b"own token",
        ACCOUNT / "ca.crt": b"CA",
        ACCOUNT / "namespace": b"submariner-operator",
        Path("submariner.io/submariner-broker-secret/token"): b"broker token",
        Path("submariner.io/submariner-broker-secret/ca.crt"): b"broker CA",
        Path("submariner.io/submariner-ipsec-psk/psk"): b"key",
    }


def test_the_route_agent_sees_no_secret():
    assert set(plan_files(ROUTE_AGENT, "t", FACTS)) == {
        ACCOUNT / name for name in ("token", "ca.crt", "namespace")
    }


def test_secrets_and_keys_stay_out_of_the_repr():
    assert "broker token" not in repr(FACTS)


def test_the_environment_is_the_configuration_and_what_a_kubelet_adds():
    environment = plan_environment("gw", FACTS, "unix:///run/x/charon.vici")

    assert environment["SUBMARINER_CLUSTERID"] == "west"
    assert environment["NODE_NAME"] == "gw"
    assert (environment["KUBERNETES_SERVICE_HOST"], environment["KUBERNETES_SERVICE_PORT"]) == (
        "10.25.0.1",
        "443",
    )
    assert environment["ISTHMUS_VICI_SOCKET"] == "unix:///run/x/charon.vici"


def test_the_command_ends_in_the_daemon_and_its_flags():
    command = plan_command("/usr/bin/python3", GATEWAY, Path("/lab/pods/gateway"), "--uninstall")

    assert command[0] == "unshare"
    assert command[-5:] == ("/usr/bin/python3", "-P", "-m", "gateway", "--uninstall")
    assert "/lab/pods/gateway" in command


def test_the_secrets_are_those_that_the_configuration_names():
    assert secret_names(FACTS.config) == ("submariner-broker-secret", "submariner-ipsec-psk")
    assert secret_names({"CE_IPSEC_PSKSECRET": ""}) == ()


def test_a_secrets_files_are_decoded():
    assert decode_secret({"data": {"psk": "a2V5"}}) == {"psk": b"key"}
    assert decode_secret({}) == {}


def test_the_ipsec_port_has_a_default():
    assert FACTS.ipsec_port == 4501
    assert ClusterFacts({}, {}, b"", "", 0, frozenset()).ipsec_port == 4500

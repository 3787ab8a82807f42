from __future__ import annotations

import base64
from ipaddress import ip_network

from crds.meta import ClusterId
from isthmus.cli.cidr import Networks
from isthmus.cli.settings import (
    BrokerAccess,
    HealthCheck,
    Settings,
    Tunnel,
    render_config,
    render_namespace,
    render_secrets,
)

BROKER = BrokerAccess("https://192.0.2.9:6443", "submariner-k8s-broker", b"PEM", "tok.en")
SETTINGS = Settings(
    ClusterId("west"),
    Networks((ip_network("10.96.0.0/16"),), (ip_network("10.1.0.0/16"), ip_network("10.2.0.0/16"))),
    Tunnel(port=4501, force_encapsulation=True),
    HealthCheck(interval=2),
)


def test_the_settings_are_the_daemons_environment():
    assert render_config(SETTINGS, BROKER)["data"] == {
        "AIR_GAPPED_DEPLOYMENT": "false",
        "BROKER_K8S_APISERVER": "192.0.2.9:6443",
        "BROKER_K8S_INSECURE": "false",
        "BROKER_K8S_REMOTENAMESPACE": "submariner-k8s-broker",
        "BROKER_K8S_SECRET": "submariner-broker-secret",
        "CE_IPSEC_DEBUG": "false",
        "CE_IPSEC_FORCEENCAPS": "true",
        "CE_IPSEC_NATTPORT": "4501",
        "CE_IPSEC_PREFERREDSERVER": "false",
        "CE_IPSEC_PSKSECRET": "submariner-ipsec-psk",
        "SUBMARINER_BROKER": "k8s",
        "SUBMARINER_CABLEDRIVER": "libreswan",
        "SUBMARINER_CLUSTERCIDR": "10.1.0.0/16,10.2.0.0/16",
        "SUBMARINER_CLUSTERID": "west",
        "SUBMARINER_DEBUG": "false",
        "SUBMARINER_GLOBALCIDR": "",
        "SUBMARINER_HEALTHCHECKENABLED": "true",
        "SUBMARINER_HEALTHCHECKINTERVAL": "2",
        "SUBMARINER_HEALTHCHECKMAXPACKETLOSSCOUNT": "5",
        "SUBMARINER_NAMESPACE": "submariner-operator",
        "SUBMARINER_NATENABLED": "true",
        "SUBMARINER_NETWORKPLUGIN": "generic",
        "SUBMARINER_SERVICECIDR": "10.96.0.0/16",
    }


def test_every_value_of_the_settings_is_text():
    assert all(isinstance(value, str) for value in render_config(SETTINGS, BROKER)["data"].values())


def test_the_secrets_hold_the_members_own_way_to_the_broker_and_the_key():
    broker, psk = render_secrets(BROKER, b"\x00key")

    assert broker["metadata"]["name"] == "submariner-broker-secret"
    assert {key: base64.b64decode(value) for key, value in broker["data"].items()} == {
        "ca.crt": b"PEM",
        "namespace": b"submariner-k8s-broker",
        "token": b"tok.en",
    }
    assert base64.b64decode(psk["data"]["psk"]) == b"\x00key"


def test_the_token_is_not_in_the_settings_nor_in_the_repr():
    assert "tok.en" not in str(render_config(SETTINGS, BROKER))
    assert "tok.en" not in repr(BROKER)


def test_the_namespace_admits_privileged_pods():
    labels = render_namespace()["metadata"]["labels"]

    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"

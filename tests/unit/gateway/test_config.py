from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.config import read_settings
from gateway.health.ping import PingTiming
from gateway.leadership import LeaseTimes
from isthmus.reconcile.errors import Fatal

COMPLETE = {
    "SUBMARINER_CLUSTERID": "east",
    "SUBMARINER_NAMESPACE": "submariner-operator",
    "SUBMARINER_SERVICECIDR": "10.96.0.0/16",
    "SUBMARINER_CLUSTERCIDR": "10.244.0.0/16",
    "NODE_NAME": "east-gw",
    "CE_IPSEC_PSKSECRET": "submariner-ipsec-psk",
}


def fault(**changes: str) -> str:
    with pytest.raises(Fatal) as caught:
        read_settings(COMPLETE | changes)
    return str(caught.value)


def test_the_smallest_complete_environment_gives_upstreams_defaults():
    settings = read_settings(COMPLETE)

    assert settings.service_cidrs == (ip_network("10.96.0.0/16"),)
    assert settings.lease == LeaseTimes(15.0, 10.0, 2.0)
    assert settings.ping == PingTiming(1.0, 5)
    assert (settings.health_checks, settings.nat_enabled, settings.metrics_port) == (True, False, 32780)
    assert settings.ipsec.psk_file == Path("/run/secrets/submariner.io/submariner-ipsec-psk/psk")
    assert settings.ipsec.port == 4500


def test_an_empty_environment_names_everything_that_is_missing():
    with pytest.raises(Fatal) as caught:
        read_settings({})

    lines = str(caught.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "SUBMARINER_CLUSTERID",
        "SUBMARINER_NAMESPACE",
        "NODE_NAME",
        "SUBMARINER_SERVICECIDR",
        "SUBMARINER_CLUSTERCIDR",
        "CE_IPSEC_PSKSECRET",
    ]


@pytest.mark.parametrize("driver", ["libreswan", "strongSwan", "IPsec", ""])
def test_ipsec_is_accepted_under_each_of_its_names(driver):
    read_settings(COMPLETE | {"SUBMARINER_CABLEDRIVER": driver})


def test_a_driver_that_does_not_exist_is_named_with_the_one_that_does():
    assert "there is no cable driver 'vxlan'; use libreswan" in fault(SUBMARINER_CABLEDRIVER="vxlan")


def test_a_cluster_id_that_is_no_label_is_refused():
    assert "'East_1' is not a cluster id" in fault(SUBMARINER_CLUSTERID="East_1")


def test_lease_times_that_cannot_work_are_refused():
    text = fault(LEADERSHIP_LEASEDURATION="5")

    assert "LEASEDURATION > RENEWDEADLINE > RETRYPERIOD, not 5, 10, 2" in text


def test_a_host_bit_in_a_network_is_refused():
    assert 'SUBMARINER_CLUSTERCIDR: "10.244.0.1/16" has bits set behind the prefix' in fault(
        SUBMARINER_CLUSTERCIDR="10.244.0.1/16"
    )


def test_networks_of_the_cluster_that_overlap_each_other_are_refused():
    assert "SUBMARINER_CLUSTERCIDR: 10.96.0.0/16 overlaps 10.96.0.0/12" in fault(
        SUBMARINER_SERVICECIDR="10.96.0.0/12", SUBMARINER_CLUSTERCIDR="10.96.0.0/16"
    )


@pytest.mark.parametrize("text", ["unix:///run/one/charon.vici", "/run/one/charon.vici"])
def test_the_socket_of_charon_is_a_unix_address_or_a_path(text):
    assert read_settings(COMPLETE | {"ISTHMUS_VICI_SOCKET": text}).ipsec.vici_socket == Path(
        "/run/one/charon.vici"
    )


@pytest.mark.parametrize("text", ["tcp://127.0.0.1:4502", "charon.vici"])
def test_any_other_socket_is_refused(text):
    assert "ISTHMUS_VICI_SOCKET: " in fault(ISTHMUS_VICI_SOCKET=text)


def test_a_node_name_without_letters_is_refused():
    assert "NODE_NAME: '_._' has no letter and no digit" in fault(NODE_NAME="_._")


def test_globalnet_is_refused_in_plain_words():
    assert "SUBMARINER_GLOBALCIDR: overlapping networks" in fault(SUBMARINER_GLOBALCIDR="242.0.0.0/16")


def test_the_secret_is_a_name_and_not_a_path():
    assert "give the name of a Secret" in fault(CE_IPSEC_PSKSECRET="../../etc")


def test_zero_means_the_default_for_health_checks_as_in_submariner():
    changes = {"SUBMARINER_HEALTHCHECKINTERVAL": "0", "SUBMARINER_HEALTHCHECKMAXPACKETLOSSCOUNT": "0"}

    assert read_settings(COMPLETE | changes).ping == PingTiming(1.0, 5)


def test_secrets_are_looked_for_below_another_directory_if_told_so(tmp_path):
    settings = read_settings(COMPLETE | {"ISTHMUS_BROKER_SECRET_DIR": str(tmp_path)})

    assert settings.ipsec.psk_file == tmp_path / "submariner-ipsec-psk" / "psk"

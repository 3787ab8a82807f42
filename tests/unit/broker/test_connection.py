from __future__ import annotations

import base64

import pytest

from broker.connection import read_broker_connection
from isthmus.reconcile.errors import Fatal

ABSENT = "absent"
A_PATH = "/etc/x"
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def environ(**changes: str) -> dict[str, str]:
    values = {
        "APISERVER": "192.0.2.1:6443",
        "REMOTENAMESPACE": "submariner-k8s-broker",
        "APISERVERTOKEN": "hidden-token",
        "CA": base64.b64encode(PEM.encode()).decode(),
    }
    return {f"BROKER_K8S_{name}": value for name, value in (values | changes).items()}


def test_variables_alone_are_enough():
    connection = read_broker_connection(environ())

    assert connection.namespace == "submariner-k8s-broker"
    assert connection.access.server == "https://192.0.2.1:6443"
    assert connection.access.headers() == {"Authorization": "Bearer hidden-token"}
    assert connection.access.ca == PEM
    assert not connection.access.insecure


def test_the_mounted_secret_wins_and_is_read_again_at_every_use(tmp_path):
    secret = tmp_path / "submariner-broker-secret"
    secret.mkdir()
    (secret / "token").write_text("first\n")
    (secret / "ca.crt").write_text(PEM)

    connection = read_broker_connection(
        environ(SECRET=secret.name) | {"ISTHMUS_BROKER_SECRET_DIR": str(tmp_path)}
    )
    (secret / "token").write_text("second\n")

    assert connection.access.headers() == {"Authorization": "Bearer second"}
    assert connection.access.ca == secret / "ca.crt"


def test_a_secret_that_is_not_mounted_leaves_the_variables(tmp_path):
    connection = read_broker_connection(environ(SECRET=ABSENT) | {"ISTHMUS_BROKER_SECRET_DIR": str(tmp_path)})

    assert connection.access.headers() == {"Authorization": "Bearer hidden-token"}


def test_without_a_ca_the_system_decides():
    assert read_broker_connection(environ(CA="")).access.ca is None


@pytest.mark.parametrize(("text", "insecure"), [("true", True), ("1", True), ("false", False), ("", False)])
def test_verification_is_switched_off_only_when_asked_for(text, insecure):
    assert read_broker_connection(environ(INSECURE=text)).access.insecure is insecure


def test_a_verification_that_is_neither_on_nor_off_is_a_fault():
    with pytest.raises(Fatal, match="BROKER_K8S_INSECURE is 'maybe', which is neither true nor false"):
        read_broker_connection(environ(INSECURE="maybe"))


def test_the_token_is_in_no_repr():
    assert "hidden-token" not in repr(read_broker_connection(environ()))


def test_all_faults_are_named_at_once_and_no_token_is():
    with pytest.raises(Fatal) as caught:
        read_broker_connection(environ(APISERVER="", REMOTENAMESPACE="", SECRET=A_PATH, CA="%"))

    text = str(caught.value)
    for name in ("APISERVER", "REMOTENAMESPACE", "SECRET", "CA"):
        assert f"BROKER_K8S_{name} is" in text
    assert "hidden-token" not in text


def test_a_missing_token_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(Fatal, match=r"absent/token is not there and BROKER_K8S_APISERVERTOKEN is not set"):
        read_broker_connection(
            environ(APISERVERTOKEN="", SECRET=ABSENT) | {"ISTHMUS_BROKER_SECRET_DIR": str(tmp_path)}
        )

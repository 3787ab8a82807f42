from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from broker.info import BadBrokerInfo, BrokerInfo, decode_info, encode_info

INFO = BrokerInfo(
    server="https://192.0.2.1:6443",
    namespace="submariner-k8s-broker",
    ca=b"-----BEGIN CERTIFICATE-----\n",
    token="the-token",  # noqa: S106 - not a real one
    psk=bytes(range(200, 248)),
)


def content(**changes: Any) -> str:
    """Return a broker file as upstream's tools write it, with some top-level keys changed."""
    decoded = json.loads(base64.urlsafe_b64decode(encode_info(INFO))) | changes
    return base64.urlsafe_b64encode(json.dumps(decoded).encode()).decode()


def test_what_was_written_is_read():
    assert decode_info(encode_info(INFO)) == INFO


def test_the_file_has_the_keys_that_other_tools_read():
    decoded = json.loads(base64.urlsafe_b64decode(encode_info(INFO)))

    assert decoded == {
        "brokerURL": "https://192.0.2.1:6443",
        "ClientToken": {
            "metadata": {"name": "submariner-k8s-broker-admin-token", "namespace": "submariner-k8s-broker"},
            "data": {
                "ca.crt": base64.b64encode(INFO.ca).decode(),
                "namespace": base64.b64encode(b"submariner-k8s-broker").decode(),
                "token": base64.b64encode(b"the-token").decode(),
            },
            "type": "kubernetes.io/service-account-token",
        },
        "IPSecPSK": {
            "metadata": {"name": "submariner-ipsec-psk"},
            "data": {"psk": base64.b64encode(INFO.psk).decode()},
        },
        "ServiceDiscovery": False,
        "Components": ["connectivity"],
        "CustomDomains": None,
    }


def test_the_alphabet_is_that_of_urls_and_the_text_has_one_line():
    text = encode_info(INFO)

    assert not set(text) & set("+/\n")


def test_keys_are_read_whatever_their_capitals():
    decoded = json.loads(base64.urlsafe_b64decode(encode_info(INFO)))
    lowered = {key.lower(): value for key, value in decoded.items()}

    assert decode_info(base64.b64encode(json.dumps(lowered).encode()).decode()) == INFO


def test_line_ends_that_an_editor_added_do_no_harm():
    text = encode_info(INFO)

    assert decode_info(f"{text[:76]}\n{text[76:]}\r\n") == INFO


def test_neither_token_nor_key_is_in_the_repr():
    assert "the-token" not in repr(INFO)
    assert "psk" not in repr(INFO)


@pytest.mark.parametrize("components", [None, 5, "all", {}])
def test_components_that_are_no_list_count_as_none(components):
    assert decode_info(content(Components=components)).components == ()


def test_a_file_without_ca_trusts_the_systems():
    decoded = json.loads(base64.urlsafe_b64decode(encode_info(INFO)))
    del decoded["ClientToken"]["data"]["ca.crt"]

    assert decode_info(content(ClientToken=decoded["ClientToken"])).ca == b""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is cut off or was changed; copy the file again, whole"),
        (encode_info(INFO)[:-40], "it is cut off or was changed; copy the file again, whole"),
        ("not base64!", "it is cut off or was changed; copy the file again, whole"),
        (base64.b64encode(b"[]").decode(), "it holds no JSON object; give the file that deploy-broker wrote"),
        (content(brokerURL=None), "it holds no brokerURL; give the file that deploy-broker wrote"),
        (
            content(brokerURL="192.0.2.1"),
            "its brokerURL is not the URL of an API server; write the file again",
        ),
        (
            content(brokerURL="https://[::1"),
            "its brokerURL is not the URL of an API server; write the file again",
        ),
        (
            base64.b64encode(b"[" * 5_000).decode(),
            "it is cut off or was changed; copy the file again, whole",
        ),
        (content(ClientToken=None), "it holds no ClientToken; give the file that deploy-broker wrote"),
        (content(IPSecPSK={"data": {}}), "it holds no psk in IPSecPSK; write the file again"),
        (content(IPSecPSK={"data": {"psk": "%"}}), "psk in its IPSecPSK is not base64; write the file again"),
        (
            content(ClientToken={"data": {"namespace": "/w==", "token": "eA=="}}),
            "its token or namespace is not text; write the file again",
        ),
        (
            content(ClientToken={"data": {"namespace": "eA=="}}),
            "it holds no token in ClientToken; write the file again",
        ),
    ],
)
def test_a_broken_file_is_refused_with_what_is_wrong(text, reason):
    with pytest.raises(BadBrokerInfo) as caught:
        decode_info(text)

    assert str(caught.value) == reason

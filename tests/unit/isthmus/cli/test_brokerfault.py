from __future__ import annotations

import pytest

from isthmus.cli.brokerfault import explain_broker
from isthmus.kube.errors import (
    ApiError,
    BadCertificate,
    Call,
    Forbidden,
    NoSuchKind,
    NotFound,
    Throttled,
    Unauthorized,
    Unavailable,
)

CALL = Call("https://192.0.2.9:6443", "list", "clusters", "broker")
SERVER = "https://192.0.2.9:6443"


def sentence(error: ApiError) -> str:
    return str(explain_broker(error, SERVER, "broker"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Unavailable(CALL, "connection refused"), ["no answer", "--broker-url", "connection refused"]),
        (BadCertificate(CALL, "self-signed"), ["certificate", "CA did not sign", "deploy-broker"]),
        (Unauthorized(CALL, "Unauthorized"), ["does not accept", "revoked", "deploy-broker"]),
        (Forbidden(CALL, "cannot list"), ["may not", "cannot list"]),
        (NoSuchKind(CALL, "404"), ["lacks", "deploy-broker"]),
        (NotFound(CALL, "404"), ["namespace broker is missing", "deploy-broker"]),
        (Throttled(CALL, "429"), ["refused"]),
    ],
)
def test_each_refusal_has_its_own_sentence_with_the_server_in_it(error: ApiError, words: list[str]):
    text = sentence(error)

    assert SERVER in text
    assert "\n" not in text
    for word in words:
        assert word in text


def test_no_two_refusals_share_a_sentence():
    kinds = (Unavailable, BadCertificate, Unauthorized, Forbidden, NoSuchKind, NotFound)

    assert len({sentence(kind(CALL, "x")) for kind in kinds}) == len(kinds)

import json
import socket
import ssl
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from isthmus.kube import errors
from isthmus.kube.errors import Call
from isthmus.kube.refusal import refusal_of_answer, refusal_of_failure, refusal_of_status

CALL = Call("https://east:6443", "create", "endpoints.submariner.io", "broker", "west")
KEY = ConnectionKey("east", 6443, True, True, None, None, None)


def answer(status: int, **fields: Any) -> errors.ApiError:
    return refusal_of_answer(CALL, status, json.dumps({"kind": "Status", **fields}).encode(), {})


@pytest.mark.parametrize(
    ("status", "fields", "expected"),
    [
        (400, {}, errors.Refused),
        (401, {}, errors.Unauthorized),
        (403, {}, errors.Forbidden),
        (404, {"details": {"name": "west", "kind": "endpoints"}}, errors.NotFound),
        (404, {"details": {}}, errors.NoSuchKind),
        (404, {}, errors.NoSuchKind),
        (409, {"reason": "AlreadyExists"}, errors.AlreadyExists),
        (409, {"reason": "Conflict"}, errors.Conflict),
        (410, {"reason": "Expired"}, errors.Gone),
        (413, {}, errors.Refused),
        (422, {"message": "spec.subnets: Invalid value"}, errors.Refused),
        (429, {}, errors.Throttled),
        (500, {}, errors.Unavailable),
        (503, {}, errors.Unavailable),
        (504, {}, errors.Unavailable),
        (302, {}, errors.Unavailable),
    ],
)
def test_each_status_is_one_kind_of_refusal(status, fields, expected):
    assert type(answer(status, **fields)) is expected


def test_the_servers_own_words_are_the_cause():
    assert "spec.subnets[0]: Invalid value" in str(answer(422, message="spec.subnets[0]: Invalid value"))


def test_an_answer_without_words_gives_its_status():
    assert "HTTP status 500" in str(answer(500))


def test_a_page_of_a_proxy_is_quoted_but_cut():
    refused = refusal_of_answer(CALL, 502, b"<html>Bad Gateway</html>" + b"x" * 10_000 + b"\xff", {})

    assert isinstance(refused, errors.Unavailable)
    assert "Bad Gateway" in str(refused)
    assert len(str(refused)) < 1000


def test_an_answer_that_is_json_but_no_status_is_survived():
    assert isinstance(refusal_of_answer(CALL, 500, b"[1]", {}), errors.Unavailable)


def test_the_time_that_a_busy_server_asks_for_is_kept():
    busy = refusal_of_answer(CALL, 429, b"{}", {"Retry-After": "7"})
    endless = refusal_of_answer(CALL, 429, b"{}", {"Retry-After": "9" * 400})
    odd = refusal_of_answer(CALL, 429, b"{}", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})

    assert (busy.retry_after, endless.retry_after, odd.retry_after) == (7.0, 60.0, 0.0)


def test_a_namespace_that_is_being_deleted_is_said_to_be_so():
    causes = {"causes": [{"reason": "NamespaceTerminating"}]}

    refused = answer(403, details=causes, message="forbidden: unable to create new content")

    assert isinstance(refused, errors.NotFound)
    assert "namespace broker is being deleted" in str(refused)


def test_a_status_in_the_middle_of_a_watch_is_classified_alike():
    assert isinstance(refusal_of_status(CALL, 410, {"message": "too old"}), errors.Gone)


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "unable to get local issuer certificate"
    return error


@pytest.mark.parametrize(
    ("failure", "expected", "text"),
    [
        (
            aiohttp.ClientConnectorCertificateError(KEY, untrusted()),
            errors.BadCertificate,
            "not trusted: unable to get local issuer certificate; give the CA certificate",
        ),
        (
            aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "wrong version number")),
            errors.Unavailable,
            "TLS handshake failed (wrong version number)",
        ),
        (
            aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "Name or service not known")),
            errors.Unavailable,
            "the name east cannot be resolved",
        ),
        (
            aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "Connection refused")),
            errors.Unavailable,
            "no connection (Connection refused)",
        ),
        (TimeoutError(), errors.Unavailable, "no answer in time"),
        (aiohttp.ClientPayloadError("not complete"), errors.Unavailable, "in the middle of an answer"),
        (aiohttp.ServerDisconnectedError(), errors.Unavailable, "Server disconnected"),
        (ConnectionResetError(), errors.Unavailable, "the connection broke (ConnectionResetError)"),
    ],
)
def test_each_failure_of_the_transport_says_what_is_wrong(failure, expected, text):
    refused = refusal_of_failure(CALL, failure)

    assert type(refused) is expected
    assert text in str(refused)
    assert "https://east:6443" in str(refused)

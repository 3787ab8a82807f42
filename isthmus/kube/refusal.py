"""Turn an HTTP answer or a socket error into the one typed error that says what is wrong. Pure."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp

from isthmus.kube.decode import decode
from isthmus.kube.errors import (
    AlreadyExists,
    ApiError,
    BadCertificate,
    Call,
    Conflict,
    Forbidden,
    Gone,
    NoSuchKind,
    NotFound,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
)

LONGEST_WAIT = 60.0
"""Seconds of a server's wish to be left alone that are honoured."""

REFUSED_STATUSES = frozenset({400, 405, 406, 413, 415, 422})


def refusal_of_answer(call: Call, status: int, body: bytes, headers: Mapping[str, str]) -> ApiError:
    """Classify a response that is not a success; *body* is usually a Kubernetes `Status` as JSON."""
    return refusal_of_status(call, status, _decode(body), _seconds(headers.get("Retry-After", "")))


def refusal_of_status(
    call: Call, status: int, answer: Mapping[str, Any], retry_after: float = 0.0
) -> ApiError:
    """Classify a Kubernetes `Status` object; a watch sends one as an event of type ERROR."""
    cause = str(answer.get("message") or f"HTTP status {status}")
    details = answer.get("details") or {}
    if _namespace_ends(details):
        return NotFound(call, f"namespace {call.namespace} is being deleted")
    match status:
        case 401:
            return Unauthorized(call, cause)
        case 403:
            return Forbidden(call, cause)
        case 404:
            # Only the answer about an object names one; that about an unknown kind or group does not.
            return NotFound(call, cause) if details.get("name") else NoSuchKind(call, cause)
        case 409:
            taken = answer.get("reason") == "AlreadyExists"
            return AlreadyExists(call, cause) if taken else Conflict(call, cause)
        case 410:
            return Gone(call, cause)
        case 429:
            return Throttled(call, cause, retry_after)
        case _ if status in REFUSED_STATUSES:
            return Refused(call, cause)
        case _:
            return Unavailable(call, cause, retry_after)


def refusal_of_failure(call: Call, error: Exception) -> ApiError:
    """Classify what the transport raised: no connection, no trust, no answer in time."""
    if (verification := _verification(error)) is not None:
        return BadCertificate(call, f"its certificate is not trusted: {verification.verify_message}")
    if isinstance(error, TimeoutError):
        return Unavailable(call, "no answer in time")
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return Unavailable(call, f"the TLS handshake failed ({error.os_error})")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Unavailable(call, f"the name {error.host} cannot be resolved")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unavailable(call, f"no connection ({error.strerror or error.os_error})")
    if isinstance(error, aiohttp.ClientPayloadError):
        return Unavailable(call, "the connection broke in the middle of an answer")
    return Unavailable(call, f"the connection broke ({str(error) or type(error).__name__})")


def _verification(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """The failed verification behind an error, if that is what it was."""
    while error is not None:
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            error = error.certificate_error
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__
    return None


def _namespace_ends(details: Mapping[str, Any]) -> bool:
    return any(cause.get("reason") == "NamespaceTerminating" for cause in details.get("causes") or ())


def _decode(body: bytes) -> Mapping[str, Any]:
    try:
        answer = decode(body)
    except ValueError:
        return {"message": body.decode(errors="replace")}
    return answer if isinstance(answer, dict) else {}


def _seconds(text: str) -> float:
    return min(float(text), LONGEST_WAIT) if text.isdecimal() else 0.0

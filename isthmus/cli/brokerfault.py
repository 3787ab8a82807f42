"""Why can this cluster not use its broker? One sentence for each way in which a broker refuses. Pure."""

from __future__ import annotations

from isthmus.cli.faults import Fault
from isthmus.kube.errors import (
    ApiError,
    BadCertificate,
    Forbidden,
    NoSuchKind,
    NotFound,
    Unauthorized,
    Unavailable,
)

_FRESH = "run 'isthmus deploy-broker' on the broker cluster and use the broker-info.subm that it writes"


def explain_broker(error: ApiError, server: str, namespace: str) -> Fault:
    """Turn an API server's refusal into what the user of `join` or `leave` has to do."""
    return Fault(_sentence(error, server, namespace))


def _sentence(error: ApiError, server: str, namespace: str) -> str:
    match error:
        case BadCertificate():
            return (
                f"the broker at {server} shows a certificate that the broker file's CA did not sign: "
                f"{_FRESH}, or correct --broker-url ({error.cause})"
            )
        case Unauthorized():
            return (
                f"the broker at {server} does not accept the broker file's token: it was revoked, or "
                f"namespace {namespace} was deleted with it; {_FRESH}"
            )
        case Forbidden():
            return (
                f"the broker file's account may not do this in namespace {namespace} at {server}: {_FRESH} "
                f"({error.cause})"
            )
        case NoSuchKind():
            return f"the broker at {server} lacks Isthmus' object kinds: {_FRESH}"
        case NotFound():
            return f"namespace {namespace} is missing at the broker {server}: {_FRESH}"
        case Unavailable():
            return (
                f"no answer from the broker at {server}: check that this machine and the cluster's gateway "
                f"nodes reach that address, or give another with --broker-url ({error.cause})"
            )
        case _:
            return f"the broker at {server} refused: {error}"

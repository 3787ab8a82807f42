"""The ways in which an API server refuses, as typed `Transient` errors.

Each message is one sentence that names the server, the call, the cause and what to do about it. Which HTTP
answer or socket error becomes which of them is decided in `kube.refusal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crds.echo import shorten
from isthmus.reconcile.errors import Transient

CAUSE_LIMIT = 400
"""Characters of a server's own words that are kept."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as far as a message names it."""

    server: str
    verb: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        subject = f"{self.resource} {self.name}" if self.name else self.resource
        scope = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {subject}{scope} at {self.server}"


class ApiError(Transient):
    """An API server did not do what it was asked to. `retry_after`: seconds that it asked us to wait."""

    advice: ClassVar[str] = ""

    def __init__(self, call: Call, cause: str, retry_after: float = 0.0) -> None:
        cause = shorten(" ".join(cause.split()), CAUSE_LIMIT)
        super().__init__(f"cannot {call}: {cause}" + (f"; {self.advice}" if self.advice else ""))
        self.call = call
        self.cause = cause
        self.retry_after = retry_after


class NotFound(ApiError):
    """404 of one object, or of the namespace to create it in."""

    advice = "create what is missing, or correct the name"


class NoSuchKind(ApiError):
    """404 of the whole collection: the server does not know the kind."""

    advice = "install Isthmus' CustomResourceDefinitions there (isthmus join, or isthmus deploy-broker, does)"


class AlreadyExists(ApiError):
    """409 of a create: the name is taken."""


class Conflict(ApiError):
    """409 of a write: the object changed since it was read, or is not the one that was meant."""


class Gone(ApiError):
    """410: the resource version to resume from is no longer kept by the server; list again."""


class Forbidden(ApiError):
    """403: authenticated, but not allowed."""

    advice = "grant the account that verb in its Role or ClusterRole (isthmus join writes the right ones)"


class Unauthorized(ApiError):
    """401: the credentials are unknown, expired or revoked."""

    advice = "the token or client certificate is no longer valid there: issue a new one (isthmus join does)"


class Refused(ApiError):
    """400 or 422: the server will not take this content; `cause` names the fields."""

    advice = "correct the named fields"


class Throttled(ApiError):
    """429: the server is too busy for us."""

    advice = "the server is overloaded; daemons go on trying, a command is to be run again"


class Unavailable(ApiError):
    """No connection, no answer in time, or 5xx."""

    advice = "check that the API server runs and can be reached from here; daemons go on trying"


class BadCertificate(ApiError):
    """The server's certificate is not signed by the CA we were given, or is for another name."""

    advice = "give the CA certificate of that very server, and an address that its certificate is valid for"

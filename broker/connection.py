"""How a gateway reaches its broker: Submariner's BROKER_K8S_* variables and the mounted Secret.

The Secret's files win over the variables, and their paths, not their content, are handed on: a renewed token
or CA is read at its next use. No token is ever in a message or a repr.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isthmus.kube.auth import Access, from_token
from isthmus.reconcile.environment import FALSE, TRUE
from isthmus.reconcile.errors import Fatal

SECRETS = "/run/secrets/submariner.io"
_PREFIX = "BROKER_K8S_"


@dataclass(frozen=True, slots=True)
class BrokerConnection:
    """The broker's API server with this member's credentials, and the namespace in which members meet."""

    access: Access
    namespace: str


def read_broker_connection(environ: Mapping[str, str]) -> BrokerConnection:
    """Return the connection that the environment describes. Raises Fatal, naming every variable at fault."""
    faults = []
    values = {
        name: environ.get(_PREFIX + name, "").strip() for name in ("APISERVER", "REMOTENAMESPACE", "SECRET")
    }
    if not values["APISERVER"]:
        faults.append(f"{_PREFIX}APISERVER is not set; give it the broker's address, HOST:PORT")
    if not values["REMOTENAMESPACE"]:
        faults.append(f"{_PREFIX}REMOTENAMESPACE is not set; give it the broker's namespace")
    if "/" in values["SECRET"]:
        faults.append(f"{_PREFIX}SECRET is a path; give it the name of a Secret")
    directory = _secret_directory(environ, values["SECRET"]) if values["SECRET"] else None
    token = _token(environ, directory, faults)
    ca = _ca(environ, directory, faults)
    insecure = _insecure(environ, faults)
    if faults:
        raise Fatal("the broker cannot be used; correct the environment: " + "; ".join(faults))
    return BrokerConnection(
        access=from_token(values["APISERVER"], token, ca, insecure), namespace=values["REMOTENAMESPACE"]
    )


def _secret_directory(environ: Mapping[str, str], secret: str) -> Path:
    return Path(environ.get("ISTHMUS_BROKER_SECRET_DIR", "") or SECRETS) / secret


def _token(environ: Mapping[str, str], directory: Path | None, faults: list[str]) -> str | Path:
    if directory is not None and (directory / "token").is_file():
        return directory / "token"
    token = environ.get(_PREFIX + "APISERVERTOKEN", "").strip()
    if not token:
        where = f"{directory}/token is not there and " if directory else ""
        faults.append(f"{where}{_PREFIX}APISERVERTOKEN is not set; run 'isthmus join' again for a new token")
    return token


def _insecure(environ: Mapping[str, str], faults: list[str]) -> bool:
    text = environ.get(_PREFIX + "INSECURE", "").strip().lower()
    if text and text not in TRUE | FALSE:
        faults.append(f"{_PREFIX}INSECURE is {text[:20]!r}, which is neither true nor false")
    return text in TRUE


def _ca(environ: Mapping[str, str], directory: Path | None, faults: list[str]) -> str | Path | None:
    if directory is not None and (directory / "ca.crt").is_file():
        return directory / "ca.crt"
    encoded = environ.get(_PREFIX + "CA", "").strip()
    try:
        return base64.b64decode(encoded, validate=True).decode("ascii") or None
    except (binascii.Error, UnicodeDecodeError):
        faults.append(f"{_PREFIX}CA is not the base64 of a PEM file; run 'isthmus join' again")
        return None

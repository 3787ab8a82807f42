"""The names of our things in charon: they say what is ours and which version of its configuration it has.

Charon does not tell back all that it was given (proposals, ports, the key itself), so the name of a
connection's child and the identifier of a secret carry a digest of the whole. Equal names then mean equal
configuration.
"""

from __future__ import annotations

import hashlib
import json

from isthmus.charon.message import connection_body
from isthmus.charon.records import IpsecConnection, SharedSecret

OWNED_PREFIX = "isthmus-"


def is_ours(name: str) -> bool:
    """Tell our connections and secrets from those of others in the same charon."""
    return name.startswith(OWNED_PREFIX)


def child_name(connection: IpsecConnection) -> str:
    """The child's name: changes whenever anything about the connection does."""
    body = connection_body(connection, child="")
    return OWNED_PREFIX + _digest(json.dumps(body, sort_keys=True), length=12)


def secret_name(secret: SharedSecret) -> str:
    """The identifier under which a secret is loaded: changes with the key and with its owners.

    Identifiers show in charon's log, so the digest is short: enough to see a change of a long random key, of
    no use for finding it.
    """
    return f"{secret.id}-{_digest(json.dumps([*secret.owners, secret.psk.text]), length=8)}"


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]

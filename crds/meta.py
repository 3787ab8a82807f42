"""What every record of a Kubernetes object shares: identifiers, references and the word for a refused object.

The parsers beside this module turn decoded JSON into frozen records and raise `Invalid` for what cannot be
honoured. Nothing here performs I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal, NewType

GROUP = "submariner.io"
VERSION = "v1"
API_VERSION = f"{GROUP}/{VERSION}"

CLUSTER_ID_LABEL = "submariner-io/clusterID"
"""Label on every copy of a remote object; its value is the id of the cluster that the object came from."""

ClusterId = NewType("ClusterId", str)
NodeName = NewType("NodeName", str)

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network
Family = Literal[4, 6]
"""IP version; every planner and driver takes it as a parameter."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """Names one Kubernetes object well enough to write an Event about it."""

    kind: str
    namespace: str
    name: str
    uid: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Rejection:
    """One object that cannot be honoured: which, because of which field, and why in a user's words."""

    ref: ObjectRef
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.ref}: {self.field}: {self.reason}"


class Invalid(ValueError):
    """Raised by a parser for an object that cannot be honoured; only a new version of the object helps."""

    def __init__(self, rejection: Rejection, echo: str = "") -> None:
        """Keep the refusal and, in *echo*, the refused spec as JSON text for a status to show."""
        super().__init__(str(rejection))
        self.rejection = rejection
        self.echo = echo

"""What we ask of charon and what it tells us, as values: connections, secrets, IKE_SAs and CHILD_SAs.

Nothing here knows VICI's spelling (`message`, `sas`) or what a peer cluster is (`gateway.plan.ipsec`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from crds.meta import IPAddress, IPNetwork


@dataclass(frozen=True, slots=True)
class Psk:
    """A pre-shared key as the ASCII text that both ends use; no repr, str or log line ever shows it."""

    text: str

    def __repr__(self) -> str:
        return "Psk(hidden)"

    def __str__(self) -> str:
        return "hidden"


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """One IKE pre-shared key and the identities that may use it."""

    id: str
    owners: tuple[str, ...]
    psk: Psk


class StartAction(StrEnum):
    """What charon does by itself with a loaded connection."""

    NONE = "none"
    TRAP = "trap"
    """Kernel ESP: a policy holds traffic back and brings the tunnel up; needs kernel policies."""


class Initiation(StrEnum):
    """Which side starts a tunnel: one of the two does, so that they do not build it twice."""

    AT_ONCE = "at-once"
    AFTER_GRACE = "after-grace"
    """The peer starts; we do if it has not after a few seconds."""
    NEVER = "never"
    """The peer's address cannot be called."""


@dataclass(frozen=True, slots=True)
class IpsecConnection:
    """One IKE connection with one child that carries every pair of a local and a remote subnet."""

    name: str
    local_address: IPAddress
    remote_address: IPAddress
    local_port: int
    remote_port: int
    local_id: str
    remote_id: str
    local_subnets: tuple[IPNetwork, ...]
    remote_subnets: tuple[IPNetwork, ...]
    ike_proposals: tuple[str, ...]
    esp_proposals: tuple[str, ...]
    force_encapsulation: bool = False
    dpd_delay: int = 6
    """Seconds of silence before the peer is asked whether it lives."""
    initiation: Initiation = Initiation.AT_ONCE
    accept_any_address: bool = False
    """The peer may call from an address we cannot know, because of a NAT."""
    start_action: StartAction = StartAction.NONE
    reqid: int = 0
    """What ties policies to states in the kernel; 0 lets charon choose one that changes with the subnets."""


@dataclass(frozen=True, slots=True)
class ChildSa:
    """One CHILD_SA as charon lists it; SPIs as lower-case hex, times in seconds."""

    name: str
    unique_id: int
    state: str
    spi_in: str
    spi_out: str
    algorithm: str
    encapsulated: bool
    bytes_in: int
    bytes_out: int
    packets_in: int
    packets_out: int
    installed_seconds: int
    rekey_seconds: int | None
    local_subnets: tuple[IPNetwork, ...]
    remote_subnets: tuple[IPNetwork, ...]


@dataclass(frozen=True, slots=True)
class IkeSa:
    """One IKE_SA as charon lists it, with its children."""

    name: str
    unique_id: int
    state: str
    local_address: IPAddress | None
    remote_address: IPAddress | None
    remote_port: int
    initiator: bool
    initiator_spi: str
    responder_spi: str
    algorithm: str
    behind_nat: bool
    established_seconds: int | None
    busy: bool
    """Charon has an exchange of its own under way or queued on this IKE_SA."""
    children: tuple[ChildSa, ...] = ()

"""Packet filter rules as values, in no tool's language.

A `Ruleset` is everything of ours in one family's packet filter; a driver (`dataplane/iptables`) makes it so.
Every rule says why it exists, and the reason ends up as its comment in the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NewType, Protocol

from crds.meta import Family, IPAddress, IPNetwork

SetName = NewType("SetName", str)
TableName = Literal["raw", "mangle", "nat", "filter"]
Hosts = IPNetwork | SetName
"""One end of a packet's way: a network or the name of an `AddressSet`."""


@dataclass(frozen=True, slots=True)
class AddressSet:
    """A named set of networks (ipset hash:net)."""

    name: SetName
    family: Family
    entries: frozenset[IPNetwork]


@dataclass(frozen=True, slots=True)
class Match:
    """Which packets a rule is for; every given field must hold, none given means all packets.

    `dport` needs `protocol` tcp or udp. `tcp_syn`: SYN set and RST clear. `mark` compares under `mark_mask`.
    `ipsec_out`: True for packets that an IPsec policy will wrap on their way out, False for those none will.
    """

    in_device: str | None = None
    out_device: str | None = None
    not_in_device: bool = False
    not_out_device: bool = False
    source: Hosts | None = None
    destination: Hosts | None = None
    not_source: bool = False
    not_destination: bool = False
    protocol: str | None = None
    dport: int | None = None
    tcp_syn: bool = False
    mark: int | None = None
    mark_mask: int = 0xFFFFFFFF
    ipsec_out: bool | None = None


@dataclass(frozen=True, slots=True)
class Accept:
    """Let the packet pass this table."""


@dataclass(frozen=True, slots=True)
class Return:
    """Go on in the calling chain."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Discard the packet in silence."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Discard the packet and tell the sender: an ICMP kind as iptables names it."""

    kind: str = "icmp-port-unreachable"


@dataclass(frozen=True, slots=True)
class Snat:
    """Give the packet this source address (nat table only)."""

    address: IPAddress


@dataclass(frozen=True, slots=True)
class ClampMss:
    """Lower the TCP MSS to what the path's MTU carries (needs `tcp_syn`)."""


@dataclass(frozen=True, slots=True)
class SetMss:
    """Lower the TCP MSS to this many bytes (needs `tcp_syn`)."""

    value: int


@dataclass(frozen=True, slots=True)
class ClearMark:
    """Clear these bits of the packet mark (mangle table only)."""

    mask: int


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on in that chain and come back if it says nothing."""

    chain: str


Action = Accept | Return | Drop | Reject | Snat | ClampMss | SetMss | ClearMark | Jump


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule and the reason for it, in words for whoever reads `iptables-save`."""

    match: Match
    action: Action
    reason: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of ours; its name begins with our prefix."""

    table: TableName
    name: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Hook:
    """The jump from a built-in chain to one of ours; `first` keeps it at position 1, else it is appended."""

    table: TableName
    chain: str
    target: str
    first: bool
    match: Match = field(default_factory=Match)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All sets, chains and hooks of ours in one family."""

    family: Family
    sets: tuple[AddressSet, ...] = ()
    chains: tuple[Chain, ...] = ()
    hooks: tuple[Hook, ...] = ()


class SetTable(Protocol):
    """The host's address sets, as text that `ipset` prints and reads."""

    async def dump(self) -> str:
        """Every set with its entries."""

    async def apply(self, text: str) -> None:
        """Create, fill and destroy sets, line by line; what is so already is fine."""


class PacketFilter(Protocol):
    """One family's packet filter, as text that its own tools print and read."""

    @property
    def sets(self) -> SetTable:
        """The sets that rules may name."""

    async def dump(self) -> str:
        """Every table, chain and rule."""

    async def apply(self, text: str) -> None:
        """Change the named tables, each as one transaction, and leave everything unnamed alone."""

    async def drop_table(self, table: TableName) -> None:
        """Remove an empty table, where the packet filter can."""

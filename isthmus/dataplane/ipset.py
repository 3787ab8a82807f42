"""Address sets as `ipset save` prints and `ipset restore` reads them. Pure: text and records only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from crds.meta import Family, IPNetwork
from isthmus.dataplane import ownership
from isthmus.dataplane.ruleset import AddressSet, SetName

SET_TYPE = "hash:net"
MAX_ENTRIES = 1 << 20
"""`maxelem` of a set that we create; ipset's own 65,536 is too small for a thousand clusters."""

FAMILIES: Mapping[Family, str] = {4: "inet", 6: "inet6"}


@dataclass(frozen=True, slots=True)
class FoundSet:
    """A set as it is: `kind` and `family` in ipset's words, entries as they can be compared."""

    kind: str
    family: str
    entries: frozenset[IPNetwork]


def parse_sets(text: str) -> dict[SetName, FoundSet]:
    """Our sets in the output of `ipset save`; other people's are passed over unread."""
    shapes: dict[SetName, tuple[str, str]] = {}
    entries: dict[SetName, list[IPNetwork]] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) < 3 or not words[1].startswith(ownership.SET_PREFIX):
            continue
        name = SetName(words[1])
        if words[0] == "create":
            options = dict(zip(words[3::2], words[4::2], strict=False))
            shapes[name] = words[2], options.get("family", "")
            entries[name] = []
        elif words[0] == "add" and shapes[name][0] == SET_TYPE:
            # Anything after the network (nomatch, a timeout) is not ours: the entry counts as another one.
            entries[name].extend([ip_network(words[2])] if len(words) == 3 else [])
    return {name: FoundSet(*shape, frozenset(entries[name])) for name, shape in shapes.items()}


def comparable(entries: Iterable[IPNetwork]) -> frozenset[IPNetwork]:
    """The entries as the kernel holds them: hash:net has no /0, which is kept as its two halves."""
    parts: set[IPNetwork] = set()
    for entry in entries:
        parts.update(entry.subnets() if entry.prefixlen == 0 else (entry,))
    return frozenset(parts)


def fits(found: FoundSet, wanted: AddressSet) -> bool:
    """Whether the set can take the wanted entries as it is."""
    return found.kind == SET_TYPE and found.family == FAMILIES[wanted.family]


def render_create(wanted: AddressSet) -> str:
    """The line that makes an empty set."""
    return f"create {wanted.name} {SET_TYPE} family {FAMILIES[wanted.family]} maxelem {MAX_ENTRIES}"


def render_entries(name: SetName, add: Iterable[IPNetwork], remove: Iterable[IPNetwork]) -> list[str]:
    """The lines that change a set's entries, adds first."""
    added = [f"add {name} {network}" for network in sorted(add, key=_order)]
    return added + [f"del {name} {network}" for network in sorted(remove, key=_order)]


def render_destroy(name: SetName) -> str:
    """The line that removes a set, which no rule may use any more."""
    return f"destroy {name}"


def render_set(wanted: AddressSet) -> list[str]:
    """The whole set, for a reader and for tests."""
    return [render_create(wanted), *render_entries(wanted.name, comparable(wanted.entries), ())]


def _order(network: IPNetwork) -> tuple[int, int, int]:
    return network.version, int(network.network_address), network.prefixlen

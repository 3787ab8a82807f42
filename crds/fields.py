"""Typed reads of decoded JSON that name the field when they refuse.

Every parser in this package takes its values through `Fields`, so that each refusal names the object, the
path of the field (`spec.subnets[2]`) and a reason in a user's words. Unknown fields are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crds.echo import shorten
from crds.meta import CLUSTER_ID_LABEL, Invalid, IPAddress, IPNetwork, ObjectRef, Rejection
from crds.network import MAX_SUBNETS, BadNetwork, parse_address, parse_network


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object of a Kubernetes object, with the path that leads to it."""

    ref: ObjectRef
    values: Mapping[str, Any]
    path: str = ""
    echo: str = ""

    def at(self, field: str) -> str:
        return f"{self.path}.{field}" if self.path else field

    def refusal(self, field: str, reason: str) -> Invalid:
        """Return the refusal of the object because of *field*; the caller raises it."""
        return Invalid(Rejection(self.ref, self.at(field), reason), self.echo)

    def child(self, field: str) -> Fields:
        """Return the JSON object under *field*, which must be there."""
        value = self.values.get(field)
        if not isinstance(value, Mapping):
            raise self.refusal(field, "is missing or not an object")
        return Fields(self.ref, value, self.at(field), self.echo)

    def text(self, field: str, longest: int, default: str | None = None) -> str:
        """Return a printable string of at most *longest* characters; without *default* it must be there."""
        value = self.values.get(field, default)
        if value is None:
            raise self.refusal(field, "is missing")
        if not isinstance(value, str):
            raise self.refusal(field, f"is {kind_of(value)}, not a string")
        if len(value) > longest:
            raise self.refusal(field, f"has {len(value)} characters; at most {longest} are allowed")
        if not value.isprintable():
            raise self.refusal(field, "holds control characters")
        return value

    def flag(self, field: str) -> bool:
        """Return a boolean that must be there."""
        value = self.values.get(field)
        if not isinstance(value, bool):
            found = "is missing" if value is None else f"is {kind_of(value)}"
            raise self.refusal(field, f"{found}; write true or false")
        return value

    def items(self, field: str, most: int) -> list[object]:
        """Return a list of at most *most* items; null and absent count as empty."""
        value = self.values.get(field)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.refusal(field, f"is {kind_of(value)}, not a list")
        if len(value) > most:
            raise self.refusal(field, f"has {len(value)} entries; at most {most} are honoured")
        return value

    def networks(self, field: str) -> tuple[IPNetwork, ...]:
        """Return a list of CIDRs in the order given."""
        networks = []
        for index, item in enumerate(self.items(field, MAX_SUBNETS)):
            place = f"{field}[{index}]"
            if not isinstance(item, str):
                raise self.refusal(place, f"is {kind_of(item)}, not a string")
            try:
                networks.append(parse_network(item))
            except BadNetwork as bad:
                raise self.refusal(place, str(bad)) from None
        return tuple(networks)

    def address(self, field: str) -> IPAddress:
        """Return a unicast address that must be there."""
        text = self.text(field, 64)
        try:
            return parse_address(text)
        except BadNetwork as bad:
            raise self.refusal(field, str(bad)) from None

    def optional_address(self, field: str) -> IPAddress | None:
        """Return a unicast address; absent, null and empty count as none."""
        return None if self.values.get(field) in (None, "") else self.address(field)


def object_fields(raw: Mapping[str, Any], kind: str, echo: str = "") -> Fields:
    """Return the fields of a whole Kubernetes object. Raises Invalid when it has no name.

    *echo* is what every refusal of the object will show of it.
    """
    metadata = mapping(raw.get("metadata"))
    ref = ObjectRef(
        kind=kind,
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        uid=str(metadata.get("uid") or ""),
    )
    if not ref.name:
        raise Invalid(Rejection(ref, "metadata.name", "is missing"), echo)
    return Fields(ref, raw, echo=echo)


def created_at(raw: Mapping[str, Any]) -> datetime | None:
    """Return the creation time that the API server wrote into the object."""
    return parse_time(mapping(raw.get("metadata")).get("creationTimestamp"))


def origin_of(raw: Mapping[str, Any]) -> str | None:
    """Return the cluster that a remote copy came from; None for an object of this cluster."""
    value = mapping(mapping(raw.get("metadata")).get("labels")).get(CLUSTER_ID_LABEL)
    return None if value is None else str(value)


def parse_time(value: object) -> datetime | None:
    """Return the time of RFC 3339 text in UTC, or None when there is none that can be read."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def mapping(value: object) -> Mapping[str, Any]:
    """Return *value* when it is a JSON object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def kind_of(value: object) -> str:
    """Name the JSON type of *value* with its article, and its text when that is short."""
    match value:
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f'the string "{shorten(value, 64)}"'
        case list():
            return "a list"
        case None:
            return "null"
    return "an object"

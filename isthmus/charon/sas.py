"""VICI's listing of SAs as records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network, summarize_address_range
from typing import Any

from crds.meta import IPAddress, IPNetwork
from isthmus.charon.records import ChildSa, IkeSa

Event = Mapping[str, Any]


def parse_ike_sas(event: Event) -> Iterator[IkeSa]:
    """The IKE_SAs of one list-sa event (charon sends one per event)."""
    for name, section in event.items():
        if isinstance(section, Mapping):
            yield _parse_ike_sa(name, section)


def _parse_ike_sa(name: str, section: Event) -> IkeSa:
    return IkeSa(
        name=name,
        unique_id=_number(section, "uniqueid"),
        state=_text(section, "state"),
        local_address=_address(_text(section, "local-host")),
        remote_address=_address(_text(section, "remote-host")),
        remote_port=_number(section, "remote-port"),
        initiator=_text(section, "initiator") == "yes",
        initiator_spi=_text(section, "initiator-spi"),
        responder_spi=_text(section, "responder-spi"),
        algorithm=_algorithm(section),
        behind_nat=_text(section, "nat-any") == "yes",
        established_seconds=_number(section, "established") if "established" in section else None,
        busy=any(f"tasks-{queue}" in section for queue in ("queued", "active", "passive")),
        children=tuple(_parse_child_sa(key, child) for key, child in section.get("child-sas", {}).items()),
    )


def _parse_child_sa(key: str, section: Event) -> ChildSa:
    return ChildSa(
        # The section's key is the name with the unique id appended.
        name=_text(section, "name") or key,
        unique_id=_number(section, "uniqueid"),
        state=_text(section, "state"),
        spi_in=_text(section, "spi-in"),
        spi_out=_text(section, "spi-out"),
        algorithm=_algorithm(section),
        encapsulated=_text(section, "encap") == "yes",
        bytes_in=_number(section, "bytes-in"),
        bytes_out=_number(section, "bytes-out"),
        packets_in=_number(section, "packets-in"),
        packets_out=_number(section, "packets-out"),
        installed_seconds=_number(section, "install-time"),
        rekey_seconds=_number(section, "rekey-time") if "rekey-time" in section else None,
        local_subnets=_subnets(section.get("local-ts", ())),
        remote_subnets=_subnets(section.get("remote-ts", ())),
    )


def _algorithm(section: Event) -> str:
    """`AES_GCM_16_256/ECP_256`: cipher with key size, integrity if separate, DH group if one was used."""
    cipher = "_".join(filter(None, (_text(section, "encr-alg"), _text(section, "encr-keysize"))))
    parts = (cipher, _text(section, "integ-alg"), _text(section, "prf-alg"), _text(section, "dh-group"))
    return "/".join(filter(None, parts))


def _subnets(selectors: Any) -> tuple[IPNetwork, ...]:
    """The subnets among the traffic selectors; one limited to a protocol or port carries no subnet."""
    found: list[IPNetwork] = []
    for raw in selectors:
        selector = _decode(raw)
        first, dots, last = selector.partition("..")
        try:
            if dots:
                found.extend(summarize_address_range(ip_address(first), ip_address(last)))
            else:
                found.append(ip_network(selector))
        except (ValueError, TypeError):
            continue
    return tuple(found)


def _address(text: str) -> IPAddress | None:
    try:
        return ip_address(text)
    except ValueError:
        return None  # "%any": not known yet


def _number(section: Event, key: str) -> int:
    text = _text(section, key)
    return int(text) if text.lstrip("-").isdigit() else 0


def _text(section: Event, key: str) -> str:
    return _decode(section.get(key, b""))


def _decode(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)

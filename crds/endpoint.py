"""The Endpoint object: a member's end of the tunnel, with the subnets that lie behind it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crds.cluster import parse_cluster_id
from crds.echo import canonical_json, echo_endpoint
from crds.fields import Fields, created_at, kind_of, object_fields, origin_of
from crds.meta import API_VERSION, ClusterId, IPAddress, IPNetwork, ObjectRef
from crds.network import first_overlap

KIND = "Endpoint"

UDP_PORT_KEY = "udp-port"
NATT_DISCOVERY_PORT_KEY = "natt-discovery-port"
USING_LOAD_BALANCER_KEY = "using-loadbalancer"
DEFAULT_UDP_PORT = 4500

LONGEST_CABLE_NAME = 200

_CABLE_NAME = re.compile(r"[A-Za-z0-9-]+")
_BACKEND = re.compile(r"[a-z0-9-]+")
_PORT_KEYS = (UDP_PORT_KEY, NATT_DISCOVERY_PORT_KEY)
_MOST_CONFIG_ENTRIES = 64
_KNOWN = frozenset(
    {
        "cluster_id",
        "cable_name",
        "healthCheckIP",
        "hostname",
        "subnets",
        "private_ip",
        "public_ip",
        "nat_enabled",
        "backend",
        "backend_config",
    }
)


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """Where a member's gateway is reached and what lies behind it.

    `subnets` keeps the order of the object: peers use it as an index. `unknown` holds fields of newer members
    as (name, JSON text), so that writing the spec again loses nothing.
    """

    cluster_id: ClusterId
    cable_name: str
    hostname: str
    subnets: tuple[IPNetwork, ...]
    private_ip: IPAddress
    public_ip: IPAddress | None = None
    health_check_ip: IPAddress | None = None
    nat_enabled: bool = False
    backend: str = "libreswan"
    backend_config: tuple[tuple[str, str], ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()

    def config(self, key: str) -> str | None:
        """Return one value of the backend's settings."""
        return next((value for name, value in self.backend_config if name == key), None)

    @property
    def udp_port(self) -> int:
        """UDP port of the tunnel."""
        return int(self.config(UDP_PORT_KEY) or DEFAULT_UDP_PORT)

    @property
    def behind_nat(self) -> bool:
        """Whether the gateway is reached at its public address: Submariner's rule where nobody probes."""
        said = self.nat_enabled or self.config(USING_LOAD_BALANCER_KEY) == "true"
        return said and self.public_ip is not None

    @property
    def reached_at(self) -> IPAddress:
        """The address at which peers reach the gateway; both ends of a tunnel must arrive at the same one."""
        return self.public_ip if self.behind_nat and self.public_ip else self.private_ip

    @property
    def ping_target(self) -> IPAddress | None:
        """The health-check address, if it lies behind the tunnel: a ping to any other leaves in the clear."""
        address = self.health_check_ip
        if address is None or not any(address in subnet for subnet in self.subnets):
            return None
        return address


@dataclass(frozen=True, slots=True)
class EndpointEcho:
    """A spec that was refused, as short JSON text (crds.echo); only ever shown."""

    text: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One Endpoint object.

    `created` is the time of this copy, not of the original. `origin` is the cluster that a remote copy came
    from, None for an Endpoint of this cluster.
    """

    ref: ObjectRef
    spec: EndpointSpec
    created: datetime | None
    origin: str | None = None


def parse_endpoint(raw: Mapping[str, Any]) -> Endpoint:
    """Return the record of an Endpoint object. Raises Invalid with the first fault and the spec's echo."""
    whole = object_fields(raw, KIND, echo_endpoint(raw.get("spec")))
    spec = parse_spec(whole.child("spec"))
    return Endpoint(ref=whole.ref, spec=spec, created=created_at(raw), origin=origin_of(raw))


def parse_spec(spec: Fields) -> EndpointSpec:
    """Return the record of an Endpoint's spec. Raises Invalid with the first fault."""
    return EndpointSpec(
        cluster_id=parse_cluster_id(spec),
        cable_name=_cable_name(spec),
        hostname=spec.text("hostname", 253),
        subnets=_subnets(spec),
        private_ip=spec.address("private_ip"),
        public_ip=spec.optional_address("public_ip"),
        health_check_ip=spec.optional_address("healthCheckIP"),
        nat_enabled=spec.flag("nat_enabled"),
        backend=_backend(spec),
        backend_config=_backend_config(spec),
        unknown=tuple(
            (field, canonical_json(value))
            for field, value in sorted(spec.values.items())
            if field not in _KNOWN
        ),
    )


def render_spec(spec: EndpointSpec | EndpointEcho) -> dict[str, Any]:
    """Return the spec as JSON; what a newer member wrote and we do not know comes back unchanged."""
    if isinstance(spec, EndpointEcho):
        shown: dict[str, Any] = json.loads(spec.text)
        return shown
    rendered: dict[str, Any] = {field: json.loads(text) for field, text in spec.unknown}
    rendered |= {
        "cluster_id": spec.cluster_id,
        "cable_name": spec.cable_name,
        "hostname": spec.hostname,
        "subnets": [str(subnet) for subnet in spec.subnets],
        "private_ip": str(spec.private_ip),
        "public_ip": str(spec.public_ip or ""),
        "nat_enabled": spec.nat_enabled,
        "backend": spec.backend,
        "backend_config": dict(spec.backend_config),
    }
    if spec.health_check_ip is not None:
        rendered["healthCheckIP"] = str(spec.health_check_ip)
    return rendered


def render_endpoint(spec: EndpointSpec, namespace: str) -> dict[str, Any]:
    """Return the object that announces *spec*."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": endpoint_name(spec), "namespace": namespace},
        "spec": render_spec(spec),
    }


def endpoint_name(spec: EndpointSpec) -> str:
    """Return the object name of an Endpoint, which every member derives in the same way."""
    return sanitised_name(f"{spec.cluster_id}-{spec.cable_name}")


def cable_name(cluster_id: ClusterId, private_ip: IPAddress) -> str:
    """Return the name of the cable that ends at this gateway."""
    return f"submariner-cable-{cluster_id}-{re.sub(r'[.:]', '-', str(private_ip))}"


def sanitised_name(text: str) -> str:
    """Return *text* as an object name: lower case, other characters as dashes.

    Dots stand between letters and digits only, and these stand at the ends, as the Kubernetes API demands.
    """
    dashed = re.sub(r"[^a-z0-9.-]", "-", text.lower())
    return ".".join(filter(None, (part.strip("-") for part in dashed.split("."))))


def _cable_name(spec: Fields) -> str:
    name = spec.text("cable_name", LONGEST_CABLE_NAME)
    if not _CABLE_NAME.fullmatch(name):
        raise spec.refusal("cable_name", f'"{name}" may hold only letters, digits and dashes, at least one')
    return name


def _subnets(spec: Fields) -> tuple[IPNetwork, ...]:
    subnets = spec.networks("subnets")
    if not subnets:
        raise spec.refusal("subnets", "is empty; an Endpoint must name the networks behind it")
    overlap = first_overlap(subnets)
    if overlap is not None:
        raise spec.refusal("subnets", f"{overlap[1]} overlaps {overlap[0]} in the same list; name each once")
    return subnets


def _backend(spec: Fields) -> str:
    backend = spec.text("backend", 63)
    if not _BACKEND.fullmatch(backend):
        raise spec.refusal("backend", f'"{backend}" is not the name of a cable driver')
    return backend


def _backend_config(spec: Fields) -> tuple[tuple[str, str], ...]:
    if spec.values.get("backend_config") is None:
        return ()
    settings = spec.child("backend_config")
    if len(settings.values) > _MOST_CONFIG_ENTRIES:
        reason = f"has {len(settings.values)} entries; at most {_MOST_CONFIG_ENTRIES} are honoured"
        raise spec.refusal("backend_config", reason)
    for key in settings.values:
        if not isinstance(key, str) or not key.isprintable() or len(key) > 63:
            raise spec.refusal(
                "backend_config", f"holds {kind_of(key)} as a key; keys have 63 characters at most"
            )
    pairs = tuple((key, settings.text(key, 1024)) for key in sorted(settings.values))
    for key, value in pairs:
        if key in _PORT_KEYS:
            _require_port(settings, key, value)
    return pairs


def _require_port(settings: Fields, key: str, value: str) -> None:
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and 1 <= int(value) <= 65535):
        raise settings.refusal(key, f'"{value}" is not a port; write a number from 1 to 65535')

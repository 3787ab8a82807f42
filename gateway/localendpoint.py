"""What this gateway announces of itself: settings, node and host become our Endpoint. Pure.

A value on the Node that cannot be used is left out and refused in words; it stops nothing else. An annotation
wins over a label of the same key, because labels cannot hold every character of an address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeVar

from crds.endpoint import UDP_PORT_KEY, EndpointSpec, cable_name
from crds.meta import IPAddress, Rejection
from crds.node import Node
from gateway.config import HIGHEST_PORT, Settings
from gateway.drivers import DriverFacts
from isthmus.dataplane.facts import HostFacts
from isthmus.membership.judge import LocalCluster

PREFIX = "gateway.submariner.io/"
UDP_PORT = PREFIX + "udp-port"
DISCOVERY_PORT = PREFIX + "natt-discovery-port"
PUBLIC_IP = PREFIX + "public-ip"
PREFERRED_SERVER = PREFIX + "preferred-server"
KNOWN_KEYS = (UDP_PORT, DISCOVERY_PORT, PUBLIC_IP, PREFERRED_SERVER)
BOOLEANS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}

T = TypeVar("T")


class _Unusable(ValueError):
    """A setting's text cannot be used, for the reason given."""


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """Our Endpoint, and the settings on the Node that were left out of it."""

    spec: EndpointSpec
    rejections: tuple[Rejection, ...]


def local_cluster(settings: Settings) -> LocalCluster:
    """This cluster as the judge of members wants it."""
    return LocalCluster(settings.cluster_id, settings.service_cidrs, settings.cluster_cidrs)


def plan_local(settings: Settings, node: Node, host: HostFacts, driver: DriverFacts) -> LocalPlan:
    """Our Endpoint as this node can serve it."""
    choices = _Choices(node)
    port = choices.take(UDP_PORT, _port) or settings.ipsec.port
    preferred = choices.take(PREFERRED_SERVER, _boolean)
    choices.take(DISCOVERY_PORT, _no_discovery)
    public_ip = choices.take(PUBLIC_IP, _literal_address)
    if public_ip is None and settings.public_ip:
        public_ip = choices.read("SUBMARINER_PUBLICIP", settings.public_ip, _literal_address)
    if preferred is None:
        preferred = settings.ipsec.preferred_server
    config = {UDP_PORT_KEY: str(port), "preferred-server": "true" if preferred else "false"}
    if driver.interface_name:
        config["interface-name"] = driver.interface_name
    choices.refuse_unknown()
    spec = EndpointSpec(
        cluster_id=settings.cluster_id,
        cable_name=cable_name(settings.cluster_id, host.private_ip),
        hostname=settings.node,
        subnets=settings.service_cidrs + settings.cluster_cidrs,
        private_ip=host.private_ip,
        public_ip=public_ip,
        health_check_ip=_health_check_ip(settings, host, choices),
        nat_enabled=settings.nat_enabled,
        backend_config=tuple(sorted(config.items())),
    )
    return LocalPlan(spec, tuple(choices.rejections))


class _Choices:
    """The `gateway.submariner.io/` settings of one Node, and what was wrong with them."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._values: Mapping[str, str] = {
            key: value for key, value in (*node.labels, *node.annotations) if key.startswith(PREFIX)
        }
        self.rejections: list[Rejection] = []

    def take(self, key: str, read: Callable[[str], T]) -> T | None:
        text = self._values.get(key)
        return None if text is None else self.read(key, text, read)

    def read(self, key: str, text: str, read: Callable[[str], T]) -> T | None:
        try:
            return read(text.strip())
        except _Unusable as fault:
            self.refuse(key, str(fault))
            return None

    def refuse(self, field: str, reason: str) -> None:
        self.rejections.append(Rejection(self._node.ref, field, reason))

    def refuse_unknown(self) -> None:
        for key in sorted(set(self._values) - set(KNOWN_KEYS)):
            known = ", ".join(KNOWN_KEYS)
            self.refuse(key, f"is no setting of a gateway node and has no effect; known are {known}")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= HIGHEST_PORT):
        raise _Unusable(f"{text[:20]!r} is not a port; write a number from 1 to {HIGHEST_PORT}")
    return int(text)


def _boolean(text: str) -> bool:
    if text.lower() not in BOOLEANS:
        raise _Unusable(f"{text[:20]!r} is neither true nor false")
    return BOOLEANS[text.lower()]


def _no_discovery(text: str) -> None:
    raise _Unusable("has no effect, as this gateway takes no part in NAT discovery; remove it")


def _literal_address(text: str) -> IPAddress:
    """The first `ipv4:` or `ipv6:` entry of a list such as `ipv4:192.0.2.1,api:ip4.seeip.org`."""
    for entry in text.split(","):
        method, _, value = entry.strip().partition(":")
        if method not in ("ipv4", "ipv6"):
            continue
        try:
            return ip_address(value)
        except ValueError:
            raise _Unusable(f"{value[:50]!r} is not an IP address; write ipv4:192.0.2.1") from None
    raise _Unusable(f"{text[:50]!r} names no address; write ipv4: and the public address of this node")


def _health_check_ip(settings: Settings, host: HostFacts, choices: _Choices) -> IPAddress | None:
    if not settings.health_checks:
        return None
    if host.cni_address is None:
        choices.refuse(
            "health check",
            "no interface of this node has an address of the Pod networks, so peers cannot ping it "
            "through the tunnel; wait for the CNI, or set SUBMARINER_HEALTHCHECKENABLED=false",
        )
    return host.cni_address

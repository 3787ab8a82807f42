"""Cables as IPsec connections: identities, ports, proposals and who of the two gateways starts.

What a peer gateway of Submariner expects on the wire decides most of it: IKEv2 with a pre-shared key, the
private addresses as identities (also through a NAT), the tunnel port of the Endpoint at both ends.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from crds.endpoint import EndpointSpec
from crds.meta import IPNetwork
from gateway.plan.cables import Cable
from isthmus.charon.naming import OWNED_PREFIX
from isthmus.charon.records import Initiation, IpsecConnection, Psk, SharedSecret, StartAction
from isthmus.dataplane.ownership import REQID_MARK

Subnets = tuple[IPNetwork, ...]

PREFERRED_SERVER = "preferred-server"
DPD_SECONDS = 6

IKE_PROPOSALS = (
    "aes256gcm16-aes128gcm16-prfsha512-prfsha256-curve25519-ecp384-ecp256-modp3072-modp2048",
    "aes256-aes128-sha512-sha256-prfsha512-prfsha256-curve25519-ecp384-ecp256-modp3072-modp2048",
)
ESP_PROPOSALS = (
    "aes256gcm16-aes128gcm16-curve25519-ecp384-ecp256-modp3072-modp2048",
    # Without a group as well: the first CHILD_SA has none (RFC 7296, section 1.2), and libreswan 4 and peers
    # without PFS never offer one.
    "aes256gcm16-aes128gcm16",
)


@dataclass(frozen=True, slots=True)
class IpsecOptions:
    """What applies to every cable of this gateway."""

    psk: Psk
    force_encapsulation: bool = False
    """ESP in UDP even where no NAT is seen."""


@dataclass(frozen=True, slots=True)
class IpsecPlan:
    """What charon has to hold; `connections` is in the order of the cables."""

    connections: tuple[IpsecConnection, ...]
    secrets: tuple[SharedSecret, ...]


def plan_ipsec(cables: Iterable[Cable], options: IpsecOptions, start_action: StartAction) -> IpsecPlan:
    """One connection and one secret per cable that has something to carry."""
    cables = tuple(cable for cable in cables if not obstacle(cable))
    return IpsecPlan(
        connections=tuple(_connection(cable, options, start_action) for cable in cables),
        secrets=tuple(_secret(cable, options.psk) for cable in cables),
    )


def obstacle(cable: Cable) -> str:
    """Why no packet can pass the cable whatever charon does, "" if some can.

    Charon would take an empty list of subnets for the gateways themselves.
    """
    if cable.address.version != cable.local.private_ip.version:
        return f"this gateway has no IPv{cable.address.version} address from which to reach {cable.address}"
    local, remote = _carried(cable)
    if not (local and remote):
        return (
            "nothing to carry: beside the gateways' addresses the Endpoints name no subnets of one IP version"
        )
    return ""


def connection_name(cable: Cable) -> str:
    """The connection's name in charon."""
    return f"{OWNED_PREFIX}{cable.cable_name}"


def reqid_of(name: str) -> int:
    """The reqid of a connection: what charon makes for it in the kernel bears our mark and tells for whom."""
    return REQID_MARK << 24 | zlib.crc32(name.encode()) & 0xFFFFFF


def _connection(cable: Cable, options: IpsecOptions, start_action: StartAction) -> IpsecConnection:
    initiation = plan_initiation(cable.local, cable.remote)
    local_subnets, remote_subnets = _carried(cable)
    return IpsecConnection(
        name=connection_name(cable),
        local_address=cable.local.private_ip,
        remote_address=cable.address,
        local_port=cable.local.udp_port,
        remote_port=cable.remote.udp_port,
        local_id=str(cable.local.private_ip),
        remote_id=str(cable.remote.private_ip),
        local_subnets=local_subnets,
        remote_subnets=remote_subnets,
        ike_proposals=IKE_PROPOSALS,
        esp_proposals=ESP_PROPOSALS,
        force_encapsulation=options.force_encapsulation or cable.nat,
        dpd_delay=DPD_SECONDS,
        initiation=initiation,
        accept_any_address=cable.nat or initiation is Initiation.NEVER,
        start_action=StartAction.NONE if initiation is Initiation.NEVER else start_action,
        reqid=reqid_of(connection_name(cable)),
    )


def _secret(cable: Cable, psk: Psk) -> SharedSecret:
    return SharedSecret(
        id=connection_name(cable),
        owners=(str(cable.local.private_ip), str(cable.remote.private_ip)),
        psk=psk,
    )


def plan_initiation(local: EndpointSpec, remote: EndpointSpec) -> Initiation:
    """Who starts: the client of a preferred server; without one the gateway whose cable name is smaller.

    Of two preferred servers the one with the greater cable name stays the server.
    """
    we_serve, they_serve = _is_server(local), _is_server(remote)
    if we_serve and they_serve:
        return Initiation.NEVER if local.cable_name > remote.cable_name else Initiation.AT_ONCE
    if we_serve:
        return Initiation.NEVER
    if they_serve:
        return Initiation.AT_ONCE
    return Initiation.AT_ONCE if local.cable_name < remote.cable_name else Initiation.AFTER_GRACE


def _is_server(endpoint: EndpointSpec) -> bool:
    # The spellings of true that Submariner's peers may have written.
    return endpoint.config(PREFERRED_SERVER) in ("1", "t", "T", "true", "TRUE", "True")


def _carried(cable: Cable) -> tuple[Subnets, Subnets]:
    """The subnets of both ends, of the IP versions that both have: others have nobody to talk to."""
    local, remote = _tunnelled(cable.local), _tunnelled(cable.remote)
    shared = {subnet.version for subnet in local} & {subnet.version for subnet in remote}
    return _of_versions(shared, local), _of_versions(shared, remote)


def _of_versions(versions: Collection[int], subnets: Subnets) -> Subnets:
    return tuple(subnet for subnet in subnets if subnet.version in versions)


def _tunnelled(endpoint: EndpointSpec) -> Subnets:
    """The subnets without the gateway's own address: its IKE packets must stay outside of the tunnel."""
    return tuple(
        subnet
        for subnet in endpoint.subnets
        if not (subnet.prefixlen == subnet.max_prefixlen and subnet.network_address == endpoint.private_ip)
    )

"""The state of a cable from the SAs that exist and from what charon last complained about: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import product

from crds.gateway import ConnectionStatus
from crds.meta import IPNetwork
from gateway.drivers import CableState, Tunnel
from gateway.plan.cables import Cable
from isthmus.charon.causes import Cause
from isthmus.charon.healing import is_live
from isthmus.charon.records import ChildSa, IkeSa, Initiation, IpsecConnection

Pair = tuple[IPNetwork, IPNetwork]

_MESSAGES = {
    Initiation.AT_ONCE: "negotiating with the peer",
    Initiation.AFTER_GRACE: "waiting for the peer to start the tunnel",
    Initiation.NEVER: "waiting for the peer to call: this gateway is the preferred server",
}


def judge_cable(
    cable: Cable,
    connection: IpsecConnection,
    own: Iterable[IkeSa],
    cause: Cause | None,
    now: datetime,
) -> CableState:
    """Connected when the connection's *own* SAs carry every pair of subnets; else why not."""
    # SAs of an address that this host gave up live on until the peer is found silent; nothing passes them.
    current = [sa for sa in own if sa.local_address == connection.local_address]
    live = [(sa, child) for sa in current for child in sa.children if is_live(child)]
    missing = _missing(connection, [child for _, child in live])
    if not live:
        return _not_up(cable, cause, _MESSAGES[connection.initiation])
    # The newest: after a change or a rekeying the others are about to go.
    ike, child = min(live, key=lambda pair: (pair[1].installed_seconds, -pair[1].unique_id))
    if missing:
        state = _not_up(cable, cause, f"the tunnel does not carry {_shown(missing)} yet")
    else:
        state = CableState(ConnectionStatus.CONNECTED)
    return CableState(
        status=state.status,
        message=state.message,
        using_ip=ike.remote_address or cable.address,
        using_nat=cable.nat,
        tunnel=_tunnel(ike, child, now),
    )


def _not_up(cable: Cable, cause: Cause | None, waiting: str) -> CableState:
    return CableState(
        status=ConnectionStatus.CONNECTING if cause is None else ConnectionStatus.ERROR,
        message=waiting if cause is None else f"{cause.text} (peer {cable.address})",
        using_ip=cable.address,
        using_nat=cable.nat,
    )


def _tunnel(ike: IkeSa, child: ChildSa, now: datetime) -> Tunnel:
    return Tunnel(
        initiator_spi=ike.initiator_spi,
        responder_spi=ike.responder_spi,
        spi_in=child.spi_in,
        spi_out=child.spi_out,
        algorithm=child.algorithm,
        rx_bytes=child.bytes_in,
        tx_bytes=child.bytes_out,
        established_at=now - timedelta(seconds=ike.established_seconds or child.installed_seconds),
    )


def _missing(connection: IpsecConnection, live: Sequence[ChildSa]) -> list[Pair]:
    """The pairs of subnets that no SA carries; a peer may use one SA for all or one for each pair."""
    exact = {pair for child in live for pair in product(child.local_subnets, child.remote_subnets)}
    pairs = product(connection.local_subnets, connection.remote_subnets)
    wanted = [(local, remote) for local, remote in pairs if local.version == remote.version]
    return [pair for pair in wanted if pair not in exact and not _is_carried(pair, live)]


def _is_carried(pair: Pair, live: Iterable[ChildSa]) -> bool:
    local, remote = pair
    return any(
        _is_within(local, child.local_subnets) and _is_within(remote, child.remote_subnets) for child in live
    )


def _is_within(subnet: IPNetwork, selectors: Iterable[IPNetwork]) -> bool:
    return any(
        # The checker does not see that equal versions mean equal types.
        subnet.version == selector.version and subnet.subnet_of(selector)  # type: ignore[arg-type]
        for selector in selectors
    )


def _shown(missing: Sequence[Pair]) -> str:
    local, remote = missing[0]
    more = f" and {len(missing) - 1} more pairs of subnets" if len(missing) > 1 else ""
    return f"{local} to {remote}{more}"

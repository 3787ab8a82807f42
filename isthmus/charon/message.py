"""Our records in VICI's spelling: the bodies of load-conn and load-shared, keys as in swanctl.conf(5)."""

from __future__ import annotations

from isthmus.charon.records import Initiation, IpsecConnection, SharedSecret

Section = dict[str, "str | list[str] | Section"]


def connection_body(connection: IpsecConnection, child: str) -> Section:
    """One connection's section for load-conn, with its only child named *child*."""
    remote_addresses = [str(connection.remote_address)]
    if connection.accept_any_address:
        # The first address is the one that is called, any entry may call us.
        remote_addresses.append("%any")
    return {
        "version": "2",
        "local_addrs": [str(connection.local_address)],
        "remote_addrs": remote_addresses,
        "local_port": str(connection.local_port),
        "remote_port": str(connection.remote_port),
        "proposals": list(connection.ike_proposals),
        "encap": _yes_no(connection.force_encapsulation),
        "dpd_delay": f"{connection.dpd_delay}s",
        "mobike": "no",
        # Try for ever: a peer that is away for an hour is called for an hour.
        "keyingtries": "0",
        # Replace older SAs only when the peer says that it has none (it restarted). Any other policy may
        # delete both of two SAs that crossed each other; `healing` removes such extras in an agreed order.
        "unique": "no",
        "local": {"auth": "psk", "id": connection.local_id},
        "remote": {"auth": "psk", "id": connection.remote_id},
        "children": {child: _child_body(connection)},
    }


def _child_body(connection: IpsecConnection) -> Section:
    # The side that starts also starts again, even while our own daemon is away; the other side just lets go.
    dpd_action = "restart" if connection.initiation is Initiation.AT_ONCE else "clear"
    return {
        "mode": "tunnel",
        "local_ts": [str(subnet) for subnet in connection.local_subnets],
        "remote_ts": [str(subnet) for subnet in connection.remote_subnets],
        "esp_proposals": list(connection.esp_proposals),
        # Never "start": with it charon ends the running SA as soon as a changed connection is loaded.
        "start_action": connection.start_action.value,
        "close_action": "none",
        "dpd_action": dpd_action,
        "replay_window": "128",
        "reqid": str(connection.reqid),
    }


def secret_body(secret: SharedSecret, identifier: str) -> Section:
    """The body of load-shared; it holds the key and must never be logged."""
    return {
        "id": identifier,
        "type": "IKE",
        "data": secret.psk.text,
        "owners": list(secret.owners),
    }


def _yes_no(flag: bool) -> str:
    return "yes" if flag else "no"

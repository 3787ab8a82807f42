from __future__ import annotations

from isthmus.charon.message import connection_body, secret_body
from isthmus.charon.records import Initiation, Psk, SharedSecret, StartAction
from tests.unit.isthmus.charon.worlds import connection


def test_a_connection_is_spelled_out_as_charon_reads_it():
    assert connection_body(connection(), child="isthmus-1") == {
        "version": "2",
        "local_addrs": ["192.0.2.1"],
        "remote_addrs": ["192.0.2.2"],
        "local_port": "4500",
        "remote_port": "4500",
        "proposals": ["aes256gcm16-prfsha512-curve25519"],
        "encap": "no",
        "dpd_delay": "6s",
        "mobike": "no",
        "keyingtries": "0",
        "unique": "no",
        "local": {"auth": "psk", "id": "192.0.2.1"},
        "remote": {"auth": "psk", "id": "192.0.2.2"},
        "children": {
            "isthmus-1": {
                "mode": "tunnel",
                "local_ts": ["10.10.0.0/16", "10.11.0.0/16"],
                "remote_ts": ["10.20.0.0/16", "10.21.0.0/16"],
                "esp_proposals": ["aes256gcm16"],
                "start_action": "none",
                "close_action": "none",
                "dpd_action": "restart",
                "replay_window": "128",
                "reqid": "0",
            }
        },
    }


def test_a_peer_behind_a_nat_is_called_at_its_address_and_may_call_from_any():
    body = connection_body(connection(accept_any_address=True, force_encapsulation=True), child="")

    assert body["remote_addrs"] == ["192.0.2.2", "%any"]
    assert body["encap"] == "yes"


def test_only_the_side_that_starts_calls_a_silent_peer_again_by_itself():
    body = connection_body(
        connection(initiation=Initiation.AFTER_GRACE, start_action=StartAction.TRAP), child="isthmus-1"
    )

    children = body["children"]
    assert isinstance(children, dict)
    child = children["isthmus-1"]
    assert isinstance(child, dict)
    assert (child["dpd_action"], child["start_action"]) == ("clear", "trap")


def test_a_secret_is_loaded_as_the_text_that_both_ends_have():
    secret = SharedSecret("isthmus-west", ("192.0.2.1", "192.0.2.2"), Psk("QUJD"))

    assert secret_body(secret, "isthmus-west-1") == {
        "id": "isthmus-west-1",
        "type": "IKE",
        "data": "QUJD",
        "owners": ["192.0.2.1", "192.0.2.2"],
    }

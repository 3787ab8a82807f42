from __future__ import annotations

from dataclasses import fields, replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from isthmus.charon.naming import child_name, is_ours, secret_name
from isthmus.charon.records import Initiation, Psk, SharedSecret, StartAction
from tests.unit.isthmus.charon.worlds import connection

OTHERS: dict[str, Any] = {
    "local_address": IPv4Address("192.0.2.9"),
    "remote_address": IPv4Address("192.0.2.9"),
    "local_port": 4501,
    "remote_port": 4501,
    "local_id": "192.0.2.9",
    "remote_id": "192.0.2.9",
    "local_subnets": (IPv4Network("10.99.0.0/16"),),
    "remote_subnets": (IPv4Network("10.99.0.0/16"),),
    "ike_proposals": ("aes128gcm16-prfsha256-ecp256",),
    "esp_proposals": ("aes128gcm16",),
    "force_encapsulation": True,
    "dpd_delay": 10,
    "initiation": Initiation.AFTER_GRACE,
    "accept_any_address": True,
    "start_action": StartAction.TRAP,
    "reqid": 7,
}


@pytest.mark.parametrize("field", OTHERS)
def test_any_change_of_a_connection_changes_the_name_of_its_child(field: str):
    assert child_name(replace(connection(), **{field: OTHERS[field]})) != child_name(connection())


def test_every_field_but_the_name_is_tried():
    assert {field.name for field in fields(connection())} == {"name", *OTHERS}


def test_the_name_of_a_child_is_the_same_in_every_process():
    assert child_name(connection()) == "isthmus-149cf78239df"


def test_a_secrets_name_changes_with_the_key_and_the_owners_and_shows_neither():
    secret = SharedSecret("isthmus-west", ("192.0.2.1", "192.0.2.2"), Psk("open sesame"))

    names = {
        secret_name(secret),
        secret_name(replace(secret, psk=Psk("open barley"))),
        secret_name(replace(secret, owners=("192.0.2.1", "192.0.2.3"))),
    }

    assert len(names) == 3
    assert all(name.startswith("isthmus-west-") and "sesame" not in name for name in names)


def test_ours_are_the_names_with_our_prefix():
    assert is_ours("isthmus-west")
    assert not is_ours("roadwarriors")
    assert not is_ours("not-isthmus-west")

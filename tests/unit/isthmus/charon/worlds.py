"""Connections and SAs for the tests of charon's planners."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from isthmus.charon.healing import Wanted
from isthmus.charon.naming import child_name
from isthmus.charon.records import ChildSa, IkeSa, Initiation, IpsecConnection

HERE, THERE = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")


def connection(name: str = "isthmus-west", **fields: Any) -> IpsecConnection:
    """A connection that we start at once, to two subnets at THERE."""
    plain = IpsecConnection(
        name=name,
        local_address=HERE,
        remote_address=THERE,
        local_port=4500,
        remote_port=4500,
        local_id=str(HERE),
        remote_id=str(THERE),
        local_subnets=(IPv4Network("10.10.0.0/16"), IPv4Network("10.11.0.0/16")),
        remote_subnets=(IPv4Network("10.20.0.0/16"), IPv4Network("10.21.0.0/16")),
        ike_proposals=("aes256gcm16-prfsha512-curve25519",),
        esp_proposals=("aes256gcm16",),
    )
    return replace(plain, **fields)


def wanted(initiation: Initiation = Initiation.AT_ONCE, **fields: Any) -> Wanted:
    """A connection with the name of its child."""
    item = connection(initiation=initiation, **fields)
    return Wanted(item, child_name(item))


def child(name: str, age: int = 60, unique_id: int = 1, **fields: Any) -> ChildSa:
    """An installed CHILD_SA with the subnets of `connection`."""
    shape = connection()
    plain = ChildSa(
        name=name,
        unique_id=unique_id,
        state="INSTALLED",
        spi_in=f"{0xA000_0000 + unique_id:08x}",
        spi_out=f"{0xB000_0000 + unique_id:08x}",
        algorithm="AES_GCM_16_256",
        encapsulated=True,
        bytes_in=11,
        bytes_out=22,
        packets_in=1,
        packets_out=2,
        installed_seconds=age,
        rekey_seconds=3000,
        local_subnets=shape.local_subnets,
        remote_subnets=shape.remote_subnets,
    )
    return replace(plain, **fields)


def ike(*children: ChildSa, unique_id: int = 1, state: str = "ESTABLISHED", **fields: Any) -> IkeSa:
    """An IKE_SA of `connection()` that we started."""
    plain = IkeSa(
        name="isthmus-west",
        unique_id=unique_id,
        state=state,
        local_address=HERE,
        remote_address=THERE,
        remote_port=4500,
        initiator=True,
        initiator_spi="1111111111111111",
        responder_spi="2222222222222222",
        algorithm="AES_GCM_16_256",
        behind_nat=False,
        established_seconds=60 if state == "ESTABLISHED" else None,
        busy=state == "CONNECTING",
        children=children,
    )
    return replace(plain, **fields)

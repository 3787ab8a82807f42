from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from crds.gateway import ConnectionStatus
from gateway.drivers import CableState, Tunnel
from gateway.plan.cables import plan_cable
from gateway.plan.cablestate import judge_cable
from isthmus.charon import causes
from isthmus.charon.causes import Cause
from isthmus.charon.records import IkeSa, Initiation
from tests.builders import endpoint_spec
from tests.unit.isthmus.charon.worlds import child, connection, ike

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CABLE = plan_cable(
    endpoint_spec("east", "10.10.0.0/16", "10.11.0.0/16", private_ip="192.0.2.1"),
    endpoint_spec("west", "10.20.0.0/16", "10.21.0.0/16", private_ip="192.0.2.2"),
)
WEST = connection()
FIRST, SECOND = WEST.remote_subnets


def state(*sas: IkeSa, cause: Cause | None = None, initiation: Initiation = Initiation.AT_ONCE) -> CableState:
    return judge_cable(CABLE, connection(initiation=initiation), sas, cause, NOW)


def test_a_cable_whose_subnets_all_pass_is_connected():
    assert state(ike(child("isthmus-1"))) == CableState(
        status=ConnectionStatus.CONNECTED,
        message="",
        using_ip=ip_address("192.0.2.2"),
        using_nat=False,
        tunnel=Tunnel(
            initiator_spi="1111111111111111",
            responder_spi="2222222222222222",
            spi_in="a0000001",
            spi_out="b0000001",
            algorithm="AES_GCM_16_256",
            rx_bytes=11,
            tx_bytes=22,
            established_at=NOW - timedelta(seconds=60),
        ),
    )


def test_an_old_complaint_does_not_show_on_a_connected_cable():
    assert state(ike(child("isthmus-1")), cause=causes.NO_ANSWER).message == ""


def test_one_sa_for_each_pair_of_subnets_is_as_good_as_one_for_all():
    pairs = ike(
        child("isthmus-1", unique_id=1, remote_subnets=(FIRST,)),
        child("isthmus-1", unique_id=2, remote_subnets=(SECOND,)),
    )

    assert state(pairs).status is ConnectionStatus.CONNECTED


def test_a_wider_sa_carries_the_subnets_in_it():
    wider = (FIRST.supernet(new_prefix=8),)

    assert state(ike(child("isthmus-1", remote_subnets=wider))).status is ConnectionStatus.CONNECTED


def test_subnets_that_do_not_pass_are_named():
    partial = state(ike(child("isthmus-1", remote_subnets=(FIRST,))))

    assert partial.status is ConnectionStatus.CONNECTING
    assert partial.message == (
        "the tunnel does not carry 10.10.0.0/16 to 10.21.0.0/16 and 1 more pairs of subnets yet"
    )
    assert partial.tunnel is not None


def test_subnets_of_different_ip_versions_need_not_reach_each_other():
    six = ip_network("fd00:1::/64"), ip_network("fd00:2::/64")
    both = replace(
        WEST, local_subnets=(*WEST.local_subnets, six[0]), remote_subnets=(*WEST.remote_subnets, six[1])
    )
    sas = [
        ike(
            child("isthmus-1", unique_id=1),
            child("isthmus-1", unique_id=2, local_subnets=six[:1], remote_subnets=six[1:]),
        )
    ]

    assert judge_cable(CABLE, both, sas, None, NOW).status is ConnectionStatus.CONNECTED


def test_a_cable_that_does_not_come_up_says_why():
    down = state(cause=causes.WRONG_KEY)

    assert down.status is ConnectionStatus.ERROR
    assert down.message == f"{causes.WRONG_KEY.text} (peer 192.0.2.2)"
    assert down.tunnel is None


def test_a_cause_stays_while_the_next_attempt_runs():
    assert state(ike(state="CONNECTING"), cause=causes.WRONG_KEY).status is ConnectionStatus.ERROR


def test_without_a_cause_it_is_said_what_is_waited_for():
    messages = {initiation: state(initiation=initiation).message for initiation in Initiation}

    assert messages == {
        Initiation.AT_ONCE: "negotiating with the peer",
        Initiation.AFTER_GRACE: "waiting for the peer to start the tunnel",
        Initiation.NEVER: "waiting for the peer to call: this gateway is the preferred server",
    }


def test_of_several_sas_the_newest_is_shown():
    shown = state(ike(child("isthmus-1", unique_id=1, age=60), child("isthmus-1", unique_id=2, age=2)))

    assert shown.tunnel is not None
    assert shown.tunnel.spi_in == "a0000002"


def test_sas_of_an_address_that_this_host_gave_up_carry_nothing():
    old = ike(child("isthmus-1"), local_address=ip_address("192.0.2.77"))

    assert state(old).status is ConnectionStatus.CONNECTING

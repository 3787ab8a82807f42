from __future__ import annotations

from isthmus.charon import causes
from isthmus.charon.api import CameUp, LogLine, SaChanged, WentAway
from isthmus.charon.healing import EndIke, Initiate
from isthmus.charon.records import Initiation
from isthmus.charon.tunnels import Tunnels
from tests.unit.isthmus.charon.worlds import child, ike, wanted

NAME = "isthmus-west"
WEST, WAITING = wanted(), wanted(Initiation.AFTER_GRACE)
NOTHING: frozenset[str] = frozenset()
MISMATCH = LogLine(NAME, "tried 1 shared key for '192.0.2.1' - '192.0.2.2', but MAC mismatched")


def test_the_side_that_waits_does_not_wait_for_a_peer_that_does_not_know_of_our_restart():
    tunnels = Tunnels()
    tunnels.judge([WAITING], frozenset({NAME}), [ike(child(WAITING.child))], 10.0)

    commands = tunnels.judge([WAITING], frozenset({NAME}), [], 20.0)

    assert commands == (Initiate(WAITING),)


def test_a_new_daemon_gives_the_peer_its_grace():
    tunnels = Tunnels()

    assert tunnels.judge([WAITING], frozenset({NAME}), [], 10.0) == ()
    assert tunnels.recheck == 13.0
    assert tunnels.judge([WAITING], NOTHING, [], 13.0) == (Initiate(WAITING),)


def test_a_healthy_tunnel_asks_for_no_further_look():
    tunnels = Tunnels()

    assert tunnels.judge([WEST], NOTHING, [ike(child(WEST.child))], 10.0) == ()
    assert tunnels.recheck is None


def test_sas_without_a_connection_are_ended():
    assert Tunnels().judge([], NOTHING, [ike()], 10.0) == (EndIke(1),)


def test_a_cause_is_kept_through_the_attempts_and_gone_when_the_tunnel_is_up():
    tunnels = Tunnels()
    tunnels.judge([WEST], NOTHING, [], 10.0)

    assert tunnels.hear(MISMATCH)
    tunnels.judge([WEST], NOTHING, [ike(state="CONNECTING")], 12.0)
    assert tunnels.cause(NAME) == causes.WRONG_KEY
    assert not tunnels.hear(LogLine(NAME, "received AUTHENTICATION_FAILED notify error"))
    assert tunnels.cause(NAME) == causes.WRONG_KEY

    tunnels.hear(SaChanged(NAME, up=True, child=True))
    assert tunnels.cause(NAME) is None


def test_a_cause_is_gone_when_the_listing_shows_the_tunnel():
    tunnels = Tunnels()
    tunnels.judge([WEST], NOTHING, [], 10.0)
    tunnels.hear(MISMATCH)

    tunnels.judge([WEST], NOTHING, [ike(child(WEST.child))], 12.0)

    assert tunnels.cause(NAME) is None


def test_a_changed_connection_starts_without_the_old_cause():
    tunnels = Tunnels()
    tunnels.judge([WEST], NOTHING, [], 10.0)
    tunnels.hear(MISMATCH)
    changed = wanted(dpd_delay=9)

    commands = tunnels.judge([changed], NOTHING, [], 11.0)

    assert tunnels.cause(NAME) is None
    assert commands == (Initiate(changed),)


def test_a_new_charon_is_met_without_old_causes_or_waits():
    tunnels = Tunnels()
    tunnels.judge([WEST], NOTHING, [], 10.0)
    tunnels.hear(MISMATCH)

    assert tunnels.hear(WentAway())
    assert tunnels.hear(CameUp())
    assert tunnels.cause(NAME) is None
    assert tunnels.judge([WEST], NOTHING, [], 10.1) == (Initiate(WEST),)


def test_only_news_about_our_connections_counts():
    tunnels = Tunnels()

    assert not tunnels.hear(LogLine(NAME, "sending packet: from 192.0.2.1[4500] to 192.0.2.2[4500]"))
    assert not tunnels.hear(LogLine("roadwarriors", MISMATCH.text))
    assert not tunnels.hear(SaChanged("roadwarriors", up=True, child=True))
    assert tunnels.hear(SaChanged(NAME, up=False, child=False))

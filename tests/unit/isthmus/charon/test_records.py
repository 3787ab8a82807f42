from __future__ import annotations

from isthmus.charon.records import Psk, SharedSecret


def test_a_key_never_shows_when_it_or_what_holds_it_is_printed():
    secret = SharedSecret("isthmus-west", ("192.0.2.1",), Psk("open sesame"))

    for shown in (repr(secret), str(secret), f"{secret.psk}", f"{secret.psk!r}", str(secret.psk)):
        assert "sesame" not in shown
        assert "hidden" in shown


def test_keys_compare_by_their_text():
    assert Psk("a") == Psk("a")
    assert Psk("a") != Psk("b")

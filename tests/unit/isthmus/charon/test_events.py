from __future__ import annotations

from isthmus.charon.api import LogLine, SaChanged
from isthmus.charon.events import parse_event


def test_a_child_that_came_up_names_its_connection():
    body = {"up": b"yes", "isthmus-west": {"uniqueid": b"1", "child-sas": {}}}

    assert list(parse_event("child-updown", body)) == [SaChanged("isthmus-west", up=True, child=True)]


def test_an_event_without_the_word_up_is_about_something_that_went():
    assert list(parse_event("ike-updown", {"isthmus-west": {}})) == [
        SaChanged("isthmus-west", up=False, child=False)
    ]


def test_a_log_line_is_kept_if_it_is_about_a_connection():
    about = {"group": b"IKE", "ikesa-name": b"isthmus-west", "msg": b"no \xff answer"}

    assert list(parse_event("log", about)) == [LogLine("isthmus-west", "no \ufffd answer")]
    assert list(parse_event("log", {"group": b"CFG", "msg": b"vici initiate"})) == []


def test_events_that_were_not_asked_for_are_nothing():
    assert list(parse_event("alert", {"isthmus-west": {}})) == []

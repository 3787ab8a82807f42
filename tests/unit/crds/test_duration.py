from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crds.duration import parse_duration, render_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.000000001, "1ns"),
        (0.0005931, "593.1µs"),
        (0.00125, "1.25ms"),
        (2.01, "2.01s"),
        (60.5, "1m0.5s"),
        (3600, "1h0m0s"),
        (90061.25, "25h1m1.25s"),
        (-0.5, "-500ms"),
    ],
)
def test_durations_are_written_and_read_as_go_does(seconds, text):
    assert render_duration(seconds) == text
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "1x", "1.s2", "s", "1m 2s", "--1s"])
def test_other_text_is_no_duration(text):
    assert parse_duration(text) is None


def test_zero_needs_no_unit():
    assert parse_duration("0") == 0


@settings(deadline=None)
@given(st.integers(0, 10**15))
def test_nanoseconds_survive(nanoseconds):
    read = parse_duration(render_duration(nanoseconds / 1e9))

    assert read == pytest.approx(nanoseconds / 1e9, rel=1e-9, abs=1e-9)

from __future__ import annotations

import math
import statistics
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.health.stats import MEMORY, PeerHealth, Reach, RoundTrips, answered, unanswered

PEER = PeerHealth(ip_address("10.244.0.1"))


def series(*seconds: float) -> RoundTrips:
    figures = RoundTrips()
    for one in seconds:
        figures = figures.with_sample(one)
    return figures


def after_misses(health: PeerHealth, count: int) -> PeerHealth:
    for _ in range(count):
        health = unanswered(health, allowed=5)
    return health


def test_no_reply_yet_means_no_latency():
    assert RoundTrips().latency() is None


def test_one_reply_is_its_own_minimum_average_and_maximum():
    latency = series(0.002).latency()

    assert latency is not None
    assert (latency.last, latency.minimum, latency.average, latency.maximum, latency.std_dev) == (
        0.002,
        0.002,
        0.002,
        0.002,
        0.0,
    )


@settings(deadline=None)
@given(st.lists(st.floats(1e-6, 10.0), min_size=2, max_size=200))
def test_figures_agree_with_the_textbook_while_the_series_is_short(samples):
    latency = series(*samples).latency()

    assert latency is not None
    assert latency.average == pytest.approx(statistics.fmean(samples))
    assert latency.std_dev == pytest.approx(statistics.pstdev(samples), abs=1e-9)
    assert (latency.last, latency.minimum, latency.maximum) == (samples[-1], min(samples), max(samples))


def test_a_long_series_follows_a_link_that_became_slower():
    figures = series(*[0.001] * 5000, *[0.1] * (MEMORY * 5))

    assert figures.mean == pytest.approx(0.1, rel=0.02)
    assert math.sqrt(figures.variance) < 0.02


def test_a_reply_makes_a_peer_reachable():
    health = answered(PEER, 0.001)

    assert (health.reach, health.message, health.round_trips.last) == (Reach.REACHED, "", 0.001)


def test_as_many_losses_as_are_allowed_change_nothing():
    health = after_misses(answered(PEER, 0.001), 5)

    assert health.reach is Reach.REACHED


def test_one_loss_more_than_allowed_makes_the_peer_lost_and_says_which_address():
    health = after_misses(answered(PEER, 0.001), 6)

    assert health.reach is Reach.LOST
    assert health.message == "the last 6 pings to the health-check address 10.244.0.1 got no answer"


def test_a_peer_that_never_answered_is_unknown_until_enough_losses():
    assert after_misses(PEER, 5).reach is Reach.UNKNOWN
    assert after_misses(PEER, 6).reach is Reach.LOST


def test_the_cause_of_an_echo_that_could_not_leave_is_part_of_the_message():
    health = unanswered(after_misses(PEER, 5), allowed=5, cause="Network is unreachable")

    assert health.message.endswith("got no answer: Network is unreachable")


def test_one_reply_forgives_all_losses_and_keeps_the_figures():
    lost = after_misses(answered(PEER, 0.002), 10)

    health = answered(lost, 0.004)

    assert (health.reach, health.unanswered, health.round_trips.count) == (Reach.REACHED, 0, 2)

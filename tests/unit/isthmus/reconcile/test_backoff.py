from hypothesis import given
from hypothesis import strategies as st

from isthmus.reconcile.backoff import Backoff

BACKOFF = Backoff(minimum=0.5, maximum=30.0)


def test_delays_double_up_to_the_maximum():
    assert [BACKOFF.delay(attempt, 0.0) for attempt in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_jitter_shortens_to_half_at_most():
    assert BACKOFF.delay(3, 0.5) == 3.0
    assert BACKOFF.delay(3, 1.0) == 2.0


def test_clients_that_failed_for_long_still_spread_out():
    assert BACKOFF.delay(100, 0.2) != BACKOFF.delay(100, 0.4)


@given(st.integers(0, 10**9), st.floats(0, 1, exclude_max=True))
def test_every_delay_is_within_the_bounds(attempt, random):
    assert 0.5 <= BACKOFF.delay(attempt, random) <= 30.0

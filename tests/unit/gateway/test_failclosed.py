from __future__ import annotations

from gateway.failclosed import Streak


def after(*passes: tuple[bool, float]) -> Streak:
    streak = Streak()
    for broken, at in passes:
        streak = streak.after(broken, at)
    return streak


def test_a_driver_that_works_never_calls_for_another():
    assert not after((False, 0.0), (False, 100.0)).calls_for_another(100.0)


def test_many_failures_within_moments_are_a_restart_and_not_a_reason():
    assert not after(*((True, n * 0.2) for n in range(20))).calls_for_another(4.0)


def test_few_failures_over_a_long_time_are_not_enough():
    assert not after((True, 0.0), (True, 30.0)).calls_for_another(30.0)


def test_a_driver_broken_for_long_calls_for_another():
    assert after((True, 0.0), (True, 8.0), (True, 15.0)).calls_for_another(15.0)


def test_one_good_pass_starts_the_count_again():
    assert not after((True, 0.0), (True, 8.0), (False, 9.0), (True, 20.0)).calls_for_another(40.0)

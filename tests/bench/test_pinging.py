"""When did answers come again?"""

from __future__ import annotations

from bench.pinging import Answers, first_after, recovery_after


def test_answers_are_told_from_all_else_that_ping_prints():
    answers = Answers()

    for line in (
        "PING 10.20.1.10 (10.20.1.10) 56(84) bytes of data.",
        "[1763961234.10] 64 bytes from 10.20.1.10: icmp_seq=1 ttl=60 time=0.43 ms",
        "[1763961234.20] From 10.10.1.1 icmp_seq=2 Destination Net Unreachable",
        "[1763961234.30] 64 bytes from 10.20.1.10: icmp_seq=3 ttl=60 time=0.43 ms",
    ):
        answers.take(line)

    assert answers.times == [1763961234.10, 1763961234.30]


def test_the_first_answer_is_one_that_came_after_the_event():
    assert first_after([1.0, 2.0, 3.0], since=2.0) == 3.0
    assert first_after([1.0], since=2.0) is None


def test_an_answer_that_was_still_under_way_is_no_recovery():
    # Killed at 2.0: one more answer comes, then nothing for half a second.
    assert recovery_after([1.99, 2.0, 2.01, 2.51, 2.52], since=2.0) == 2.51


def test_without_an_outage_there_is_no_recovery():
    assert recovery_after([1.0, 1.01, 1.02], since=1.0) is None


def test_an_outage_that_was_over_before_does_not_count():
    assert recovery_after([0.0, 1.0, 1.01, 1.02], since=1.0) is None


def test_a_pause_of_a_busy_machine_that_ends_just_then_is_no_outage():
    assert recovery_after([1.5, 2.001, 2.01, 2.6], since=2.0) == 2.6

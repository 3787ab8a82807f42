from __future__ import annotations

from broker.contest import MOST_WRITES, WINDOW, Contest

KEY = ("Cluster", "east")


def test_writing_the_same_again_and_again_is_a_contest():
    contest = Contest()
    for second in range(MOST_WRITES):
        assert contest.lost({KEY: "body"}, second) == frozenset()
        contest.note([(KEY, "body")], second)

    assert contest.lost({KEY: "body"}, 10) == {KEY}


def test_writing_something_new_each_time_is_not():
    contest = Contest()
    contest.note([(KEY, str(number)) for number in range(10)], 0)

    assert contest.lost({KEY: "10"}, 1) == frozenset()


def test_a_contest_is_tried_again_after_a_while():
    contest = Contest()
    contest.note([(KEY, "body")] * MOST_WRITES, 0)

    assert contest.lost({KEY: "body"}, WINDOW - 1) == {KEY}
    assert contest.lost({KEY: "body"}, WINDOW) == frozenset()

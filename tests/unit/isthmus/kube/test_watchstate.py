from isthmus.kube.watchstate import (
    HEALTHY_SECONDS,
    RELIST_AFTER,
    ListAll,
    Listed,
    ListFailed,
    WatchBroken,
    WatchEnded,
    WatchFrom,
    WatchState,
)
from isthmus.reconcile.backoff import Backoff

LONG, SHORT = HEALTHY_SECONDS, 0.0


def state() -> WatchState:
    return WatchState(Backoff(minimum=1.0, maximum=30.0))


def test_after_a_list_the_watch_starts_at_its_version():
    assert state().handle(Listed("7"), 0.0) == WatchFrom("7")


def test_a_refused_list_is_tried_again_with_growing_delays():
    machine = state()

    assert [machine.handle(ListFailed(), 0.0) for _ in range(3)] == [ListAll(1), ListAll(2), ListAll(4)]


def test_the_servers_own_wish_to_wait_is_honoured():
    machine = state()

    assert machine.handle(ListFailed(retry_after=10), 0.0) == ListAll(10)
    assert machine.handle(WatchBroken("7", LONG, retry_after=12), 0.0) == WatchFrom("7", 12)


def test_a_watch_that_ended_in_order_goes_on_at_once():
    assert state().handle(WatchEnded("9", LONG), 0.0) == WatchFrom("9")


def test_a_watch_on_which_nothing_came_is_followed_by_a_list():
    assert state().handle(WatchEnded("9", LONG, heard=False), 0.0) == ListAll()


def test_watches_that_end_as_soon_as_they_begin_are_slowed_down():
    machine = state()

    assert [machine.handle(WatchEnded("9", SHORT), 0.0) for _ in range(3)] == [
        WatchFrom("9", 1),
        WatchFrom("9", 2),
        WatchFrom("9", 4),
    ]


def test_a_broken_watch_resumes_where_it_was():
    assert state().handle(WatchBroken("9", LONG), 0.0) == WatchFrom("9", 1)


def test_a_watch_that_lived_ends_the_row_of_failures():
    machine = state()
    for _ in range(3):
        machine.handle(WatchBroken("9", SHORT), 0.0)

    assert machine.handle(WatchBroken("12", LONG), 0.0) == WatchFrom("12", 1)


def test_a_list_between_refused_watches_does_not_end_the_row_of_failures():
    machine = state()
    machine.handle(WatchBroken("9", SHORT), 0.0)
    machine.handle(Listed("9"), 0.0)

    assert machine.handle(WatchBroken("9", SHORT), 0.0) == WatchFrom("9", 2)


def test_an_expired_version_is_listed_anew_at_once():
    assert state().handle(WatchBroken("9", LONG, expired=True), 0.0) == ListAll()


def test_versions_that_expire_again_and_again_are_slowed_down():
    machine = state()
    machine.handle(WatchBroken("9", SHORT, expired=True), 0.0)
    machine.handle(Listed("10"), 0.0)

    assert machine.handle(WatchBroken("10", SHORT, expired=True), 0.0) == ListAll(2)


def test_a_long_outage_ends_with_a_list():
    machine = state()
    commands = [machine.handle(WatchBroken("9", SHORT), 0.0) for _ in range(RELIST_AFTER)]

    assert commands[:-1] == [WatchFrom("9", 1), WatchFrom("9", 2), WatchFrom("9", 4), WatchFrom("9", 8)]
    assert commands[-1] == ListAll(16)


def test_delays_are_spread():
    assert state().handle(ListFailed(), 0.0) != WatchState(Backoff(2.0, 30.0)).handle(ListFailed(), 0.9)

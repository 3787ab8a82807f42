from __future__ import annotations

from random import Random

from isthmus.lab.delayline import Line, LinkQuality


def line(delay: float = 0.0, loss: float = 0.0, limit: int = 1000) -> Line:
    return Line(LinkQuality(delay, loss), Random(1), limit)


def test_a_packet_leaves_after_its_delay_and_not_before():
    link = line(delay=0.05)

    link.enter(b"one", 10.0)

    assert link.leave(10.049) == []
    assert link.leave(10.051) == [b"one"]
    assert link.leave(11.0) == []


def test_packets_leave_in_the_order_in_which_they_entered():
    link = line(delay=0.05)

    for number in range(100):
        link.enter(bytes([number]), 1.0 + number / 1000)

    assert link.leave(2.0) == [bytes([number]) for number in range(100)]


def test_only_those_whose_time_has_come_leave():
    link = line(delay=1.0)
    link.enter(b"early", 0.0)
    link.enter(b"late", 0.5)

    assert link.leave(1.2) == [b"early"]
    assert link.leave(1.5) == [b"late"]


def test_the_wait_ends_with_the_first_due_packet_and_is_never_negative():
    link = line(delay=0.2)
    assert link.wait(0.0) == 1.0

    link.enter(b"one", 0.0)

    assert abs(link.wait(0.05) - 0.15) < 1e-9
    assert link.wait(5.0) == 0.0


def test_the_share_of_lost_packets_is_the_one_asked_for():
    link = line(loss=0.1, limit=100_000)

    for _ in range(10_000):
        link.enter(b"x", 0.0)

    assert 900 < link.lost < 1100
    assert len(link.leave(0.0)) == 10_000 - link.lost


def test_the_same_seed_loses_the_same_packets():
    def survivors() -> list[bytes]:
        link = line(loss=0.3)
        for number in range(200):
            link.enter(bytes([number]), 0.0)
        return link.leave(0.0)

    assert survivors() == survivors()


def test_a_full_line_drops_what_comes_next():
    link = line(delay=1.0, limit=2)

    for packet in (b"a", b"b", b"c"):
        link.enter(packet, 0.0)

    assert link.lost == 1
    assert link.leave(1.0) == [b"a", b"b"]

"""Medians, percentiles and ratios of samples."""

from __future__ import annotations

import pytest

from bench.figures import parse_ping_times, percentile, ratio


def test_a_percentile_is_one_of_the_samples():
    samples = [float(number) for number in range(1, 101)]

    assert percentile(samples, 99) == 99.0
    assert percentile(samples, 50) == 50.0
    assert percentile(samples, 0) == 1.0
    assert percentile([7.0], 99) == 7.0


def test_no_samples_are_a_failed_measurement_and_not_a_zero():
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 99)


def test_a_slow_moment_that_both_sides_share_does_not_change_the_ratio():
    assert ratio([100.0, 50.0, 100.0], [200.0, 100.0, 200.0]) == 0.5


def test_samples_without_a_counterpart_are_refused():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        ratio([1.0, 2.0], [1.0])


def test_a_ratio_to_nothing_but_zeros_is_refused():
    with pytest.raises(ValueError, match="zero"):
        ratio([1.0], [0.0])


def test_round_trip_times_are_read_from_what_ping_prints():
    output = (
        "PING 10.20.1.10 (10.20.1.10) 56(84) bytes of data.\n"
        "[1763961234.123456] 64 bytes from 10.20.1.10: icmp_seq=1 ttl=60 time=0.431 ms\n"
        "From 10.10.1.1 icmp_seq=2 Destination Net Unreachable\n"
        "64 bytes from 10.20.1.10: icmp_seq=3 ttl=60 time=12 ms\n"
        "rtt min/avg/max/mdev = 0.4/6.2/12.0/1.0 ms\n"
    )

    assert parse_ping_times(output) == [0.431, 12.0]

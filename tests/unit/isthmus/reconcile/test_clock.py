from datetime import UTC, timedelta

from isthmus.reconcile.clock import SystemClock


async def test_the_system_clock_sleeps_and_goes_forward():
    clock = SystemClock()
    before = clock.monotonic()

    await clock.sleep(0.001)

    assert clock.monotonic() > before


def test_the_system_clock_tells_the_time_in_utc():
    assert SystemClock().now().tzinfo is UTC
    assert SystemClock().now().utcoffset() == timedelta(0)

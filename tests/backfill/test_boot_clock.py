"""Starts of the meter are dated by a trusted clock."""

from datetime import UTC, datetime

from custom_components.nrj_monitor.backfill.boot_clock import MAX_BOOTS, BootClock
from custom_components.nrj_monitor.backfill.journal import JournalPage
from tests.backfill.journal_pages import page

NOON = int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp())


def boot_time(clock: BootClock, received: JournalPage, now: float) -> float:
    """Return the boot time of a page received at `now`."""
    clock.update(received, now)
    return clock.boot_times[received.boot]


def test_agreeing_clock_of_the_meter_is_used() -> None:
    """The same records get the same times each time they are received."""
    clock = BootClock()
    for late in (0.0, 0.7, 15.0):
        uptime = 100 + late
        received = JournalPage.from_device(page(boot_time=NOON, uptime_ms=100_000))
        assert boot_time(clock, received, NOON + uptime) == NOON


def test_wrong_clock_of_the_meter_is_replaced() -> None:
    """Uptime and Home Assistant's clock date the start, best by the fastest page."""
    clock = BootClock()
    wrong = JournalPage.from_device(page(boot_time=NOON + 3600, uptime_ms=100_000))
    assert boot_time(clock, wrong, NOON + 103.0) == NOON + 3
    assert boot_time(clock, wrong, NOON + 100.5) == NOON + 0.5
    assert boot_time(clock, wrong, NOON + 102.0) == NOON + 0.5
    unset = JournalPage.from_device(page(boot="8", uptime_ms=50_000))
    assert boot_time(clock, unset, NOON + 100.0) == NOON + 50


def test_only_the_latest_starts_are_kept() -> None:
    """Frequent restarts of a meter fill no memory."""
    clock = BootClock({str(number): 1.0 for number in range(MAX_BOOTS)})
    assert clock.update(JournalPage.from_device(page(boot="99")), NOON)
    assert len(clock.boot_times) == MAX_BOOTS
    assert "0" not in clock.boot_times
    assert not clock.update(JournalPage.from_device(page(boot="99")), NOON)


def test_start_that_is_known_stays_where_a_clock_contradicts_it() -> None:
    """A start dated by a clock that may be set yet goes with the clock."""
    clock = BootClock({"7": NOON, "8": NOON}, ["8", "9"])
    for boot, expected in (("7", NOON), ("8", NOON + 3600)):
        received = JournalPage.from_device(page(boot=boot, uptime_ms=100_000))
        assert clock.error(received, NOON + 3700) == 3600
        assert boot_time(clock, received, NOON + 3700) == expected
    new = JournalPage.from_device(page(boot="9"))
    assert clock.error(new, NOON) is None
    clock.update(new, NOON, is_firm=False)
    assert set(clock.provisional) == {"8", "9"}
    clock.shift(60)
    assert clock.boot_times == {"7": NOON, "8": NOON + 3660, "9": NOON + 60}
    assert [clock.is_firm(boot) for boot in ("7", "8", "none")] == [True, False, False]
    clock.forget("8")
    clock.confirm()
    assert clock.is_firm("9")
    assert set(clock.boot_times) == {"7", "9"}

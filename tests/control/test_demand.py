"""Count of a demand: energy, intervals of the clock, and the peak of the month."""

from datetime import UTC, datetime
from math import nan
from zoneinfo import ZoneInfo

import pytest

from custom_components.nrj_monitor.control.demand import Demand, DemandAccount

QUARTER = 900.0
START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC).timestamp()


def account(at: float = START, power: float = 1000.0) -> DemandAccount:
    """Return an account of quarter hours that begins at a time, with a power."""
    counted = DemandAccount(QUARTER)
    counted.update(at, power)
    return counted


def peak_of(counted: DemandAccount) -> tuple[float, float] | None:
    """Return begin and power of the month's peak."""
    peak = counted.peak
    return None if peak is None else (peak.begin, peak.power)


def assert_peak(counted: DemandAccount, begin: float, power: object) -> None:
    """Check begin and power of the month's peak."""
    peak = counted.peak
    assert peak is not None
    assert peak.begin == begin
    assert peak.power == power


def draw(
    counted: DemandAccount,
    power: float | None,
    seconds: float,
    *,
    counter: float | None = None,
    step: float = 1.0,
) -> float | None:
    """Let the house draw a power, W, for a while; return its import counter, kWh.

    A counter that is given advances with the power.
    """
    assert counted.time is not None
    end = counted.time + seconds
    while counted.time < end:
        if counter is not None:
            counter += max(0.0, power or 0.0) * step / 3.6e6
        counted.update(counted.time + step, power, counter)
    return counter


def test_the_mean_so_far_and_the_mean_at_the_end() -> None:
    """Energy used so far, and the rest at the present power."""
    counted = account(power=1000.0)
    draw(counted, 1000.0, 300)
    draw(counted, 4000.0, 300)
    assert counted.begin == START
    assert counted.remaining == 300
    assert counted.mean == pytest.approx(2500.0, rel=0.01)
    assert counted.expected == pytest.approx((1000 + 4000 + 4000) / 3, rel=0.01)
    assert counted.used == pytest.approx(1000 / 12 + 4000 / 12, rel=0.01)


def test_export_earns_nothing_back() -> None:
    """A tariff bills the import: what is fed in meanwhile is another counter's."""
    counted = account(power=3000.0)
    draw(counted, 3000.0, 450)
    draw(counted, -5000.0, 450)
    assert_peak(counted, START, pytest.approx(1500.0, rel=0.01))


def test_the_counter_has_the_last_word() -> None:
    """Powers that are measured 10 % too low do not move the mean from the counter's."""
    counted = DemandAccount(QUARTER)
    counter = 5000.0
    counted.update(START, 900.0, counter)
    for second in range(1, 901):
        counter += 1000.0 / 3.6e6
        # A counter with steps of 10 Wh.
        counted.update(START + second, 900.0, counter // 0.01 * 0.01)
    assert counted.peak is not None
    assert counted.peak.power == pytest.approx(1000.0, abs=45)
    coarse = counted.peak.power
    only_powers = account(power=900.0)
    draw(only_powers, 900.0, 900)
    assert_peak(only_powers, START, pytest.approx(900.0, abs=2))
    assert coarse > 950


def test_a_counter_counts_on_while_the_power_is_unknown() -> None:
    """The energy of a pause within the interval is known once the counter is read."""
    counted = DemandAccount(QUARTER)
    counted.update(START, 1000.0, 10.0)
    counter = draw(counted, 1000.0, 100, counter=10.0)
    assert counter is not None
    draw(counted, None, 300)
    assert counted.expected is None
    counted.update(START + 401, 1000.0, counter + 0.3)
    assert counted.used == pytest.approx(1000 * 100 / 3600 + 300, abs=2)


def test_a_counter_that_begins_anew_takes_nothing_away() -> None:
    """A new meter, a reset and a leap of the counter leave the energy used so far."""
    for other in (0.0, 99999.0, nan):
        counted = DemandAccount(QUARTER)
        counted.update(START, 1000.0, 10.0)
        draw(counted, 1000.0, 450, counter=10.0)
        draw(counted, 1000.0, 450, counter=other)
        assert_peak(counted, START, pytest.approx(1000.0, rel=0.02))


def test_an_interval_that_was_not_seen_whole_is_no_peak() -> None:
    """A start within the interval, and a gap without a counter, make no peak."""
    counted = account(at=START + 300, power=9000.0)
    draw(counted, 9000.0, 700)
    assert peak_of(counted) is None
    draw(counted, 1000.0, 900)
    assert_peak(counted, START + QUARTER, pytest.approx(1890, rel=0.05))
    draw(counted, None, 200)
    counted.update(counted.time + 1 if counted.time else 0.0, 20000.0)
    draw(counted, 20000.0, 900)
    peak = peak_of(counted)
    assert peak is not None
    assert peak[0] == START + QUARTER


def test_the_month_is_that_of_the_house() -> None:
    """The peak begins anew with the month of the house's own time."""
    brussels = ZoneInfo("Europe/Brussels")
    counted = DemandAccount(QUARTER, brussels)
    last = datetime(2026, 11, 30, 23, 30, tzinfo=brussels).timestamp()
    counted.update(last, 5000.0)
    draw(counted, 5000.0, 900)
    assert_peak(counted, last, pytest.approx(5000.0, rel=0.01))
    draw(counted, 2000.0, 899)
    assert_peak(counted, last, pytest.approx(5000.0, rel=0.01))
    draw(counted, 2000.0, 901)
    assert_peak(counted, last + 2 * QUARTER, pytest.approx(2000.0, rel=0.01))


def test_a_correction_replaces_what_was_counted() -> None:
    """Up and down: below a corrected interval is the next highest."""
    counted = account(power=3000.0)
    for power in (3000.0, 2000.0, 1000.0):
        draw(counted, power, 900)
    assert_peak(counted, START, pytest.approx(3000.0, rel=0.01))
    counted.correct(START, 1500.0)
    assert_peak(counted, START + QUARTER, pytest.approx(2000.0, rel=0.01))
    counted.correct(START - QUARTER, 4000.0)
    assert counted.peak == Demand(START - QUARTER, 4000.0)
    counted.correct(START + 3 * QUARTER, 9000.0)
    counted.correct(START - 40 * 86400.0, 9000.0)
    assert counted.peak == Demand(START - QUARTER, 4000.0), "not ended; another month"


def test_a_restart_goes_on_where_the_counter_stands() -> None:
    """Peak and interval are stored; the counter tells what was used meanwhile."""
    counted = DemandAccount(QUARTER)
    counted.update(START, 2000.0, 10.0)
    counter = draw(counted, 2000.0, 1200, counter=10.0)
    assert counter is not None
    again = DemandAccount(QUARTER)
    again.update_from_dict(counted.as_dict())
    again.update(START + 1350, 2000.0, counter + 2000 * 150 / 3.6e6)
    assert again.used == pytest.approx(2000 / 8, rel=0.01)
    assert_peak(again, START, pytest.approx(2000.0, rel=0.01))
    hours = DemandAccount(3600.0)
    hours.update_from_dict(counted.as_dict())
    assert hours.peak is None, "quarter hours say nothing of hours"


@pytest.mark.parametrize(
    "wrong", [{"demands": [[nan, 1]]}, {"total": "a lot"}, {"demands": 3}]
)
def test_stored_nonsense_changes_nothing(wrong: dict[str, object]) -> None:
    """Raise for data of no use before anything is taken over."""
    counted = account()
    stored = counted.as_dict()
    with pytest.raises((LookupError, TypeError, ValueError)):
        counted.update_from_dict(stored | wrong)
    assert counted.as_dict() == stored


def test_a_clock_that_is_set_makes_no_demand() -> None:
    """A clock that leaps by decades, or goes back by hours, starts the count anew."""
    counted = account(at=0.0, power=1000.0)
    draw(counted, 1000.0, 100)
    counted.update(START + 10, 1000.0)
    draw(counted, 1000.0, 890)
    assert peak_of(counted) is None
    counted.update(START - 7200.0, 1000.0)
    assert counted.begin == START - 7200.0
    assert counted.expected == pytest.approx(1000.0, rel=0.01)


def test_a_clock_that_is_put_right_by_seconds_goes_on() -> None:
    """A second that comes twice counts once."""
    counted = account(power=1000.0)
    draw(counted, 1000.0, 500)
    counted.update(START + 495, 1000.0)
    draw(counted, 1000.0, 400)
    assert_peak(counted, START, pytest.approx(1000.0, rel=0.01))

"""The rows of a total in the order of time: the finest of each hour that are true."""

from custom_components.nrj_monitor.backfill.plan import HOUR
from custom_components.nrj_monitor.backfill.running_sum import (
    SumPoint,
    find_corrections,
)
from custom_components.nrj_monitor.backfill.statistics import SumHistory
from tests.backfill.recorder_statistics import metadata

ENERGY = metadata("sensor.energy", "kWh", "energy", has_sum=True)


def test_five_minutes_of_an_hour_that_was_filled_in_are_of_before() -> None:
    """After a backup they repeat its last state; nothing is corrected by them."""
    hours = (
        SumPoint(0, 7.848, 7.828, HOUR),
        SumPoint(HOUR, 10.197, 10.177, HOUR),
        SumPoint(2 * HOUR, 14.8, 14.78, HOUR),
    )
    stale = SumPoint(2 * HOUR - 300, 7.118, 7.098, 300)
    fresh = SumPoint(3 * HOUR - 300, 14.8, 14.78, 300)
    now = SumPoint(3 * HOUR, 15.1, 15.08, 300)
    history = SumHistory(ENERGY, hours, (stale, fresh, now), None)
    assert history.points == [hours[0], hours[1], fresh, now]
    assert not find_corrections(history.points)


def test_rows_after_a_filled_in_hour_that_repeat_the_state_before_are_no_new_count() -> (
    None
):
    """The total seems to fall where the meter told nothing after the hour either."""
    hours = (SumPoint(0, 2.5456, 2.5426, HOUR),)
    stale = tuple(
        SumPoint(start, 2.244, 2.241, 300)
        for start in range(HOUR - 300, HOUR + 600, 300)
    )
    now = SumPoint(HOUR + 600, 3.078, 3.075, 300)
    history = SumHistory(ENERGY, hours, (*stale, now), None)
    assert history.points == [hours[0], now]
    assert not find_corrections(history.points)


def test_rows_of_the_count_before_a_filled_in_new_count_are_not_added_to_it() -> None:
    """The old total is far above the new count's until the meter tells its own."""
    hours = (SumPoint(0, 10.0, 10.0, HOUR), SumPoint(HOUR, 1.0, 11.0, HOUR))
    old = tuple(
        SumPoint(start, 10.0, 10.0, 300) for start in (HOUR - 300, HOUR, 2 * HOUR)
    )
    now = SumPoint(2 * HOUR + 300, 2.0, 12.0, 300)
    history = SumHistory(ENERGY, hours, (*old, now), None)
    assert history.points == [old[0], hours[1], now]
    assert not find_corrections(history.points)


def test_a_meter_that_counts_anew_after_a_filled_in_hour_is_followed() -> None:
    """A total below the state before it is no repetition: its sum is looked at."""
    hours = (SumPoint(0, 2.5, 2.5, HOUR),)
    stale = SumPoint(HOUR - 300, 2.2, 2.2, 300)
    wrong = SumPoint(HOUR, 2.1, 2.1, 300)
    history = SumHistory(ENERGY, hours, (stale, wrong), None)
    assert history.points == [hours[0], wrong]
    assert find_corrections(history.points)


def test_rows_that_repeat_one_from_before_hours_without_rows_are_of_before() -> None:
    """Home Assistant was away for the filled-in hours, and knows no more after them."""
    hours = (SumPoint(0, 2.0, 2.0, HOUR), SumPoint(HOUR, 4.0, 4.0, HOUR))
    last = SumPoint(HOUR - 300, 2.0, 2.0, 300)
    stale = SumPoint(2 * HOUR, 2.0, 2.0, 300)
    now = SumPoint(2 * HOUR + 300, 4.5, 4.5, 300)
    history = SumHistory(ENERGY, hours, (last, stale, now), None)
    assert history.points == [last, hours[1], now]
    assert not find_corrections(history.points)


def test_a_row_before_comes_first() -> None:
    """The row before all others is where the sum goes on from."""
    earlier = SumPoint(0, 1.0, 1.0, HOUR)
    now = SumPoint(HOUR, 2.0, 2.0, 300)
    assert SumHistory(ENERGY, (), (now,), earlier).points == [earlier, now]

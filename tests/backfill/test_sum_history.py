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


def test_a_row_before_comes_first() -> None:
    """The row before all others is where the sum goes on from."""
    earlier = SumPoint(0, 1.0, 1.0, HOUR)
    now = SumPoint(HOUR, 2.0, 2.0, 300)
    assert SumHistory(ENERGY, (), (now,), earlier).points == [earlier, now]

"""Sums that Home Assistant continued wrongly are found, and no others."""

from hypothesis import given, strategies as st
import pytest

from custom_components.nrj_monitor.backfill.running_sum import (
    SumCorrection,
    SumPoint,
    find_corrections,
    find_impossible,
)


def test_sum_that_starts_at_zero_is_continued() -> None:
    """All rows of five minutes were purged while the meter was away."""
    points = [
        SumPoint(0, 5000.0, 1421.0),
        SumPoint(3600 * 800, 5400.5, 0.5),
        SumPoint(3600 * 800 + 300, 5401.0, 1.0),
    ]
    assert find_corrections(points) == [SumCorrection(3600 * 800, 1821.0)]


def test_new_count_begins_where_the_old_sum_ended() -> None:
    """Home Assistant lowers the sum with a total that falls by less than a tenth."""
    points = [
        SumPoint(0, 109.0, 59.0),
        SumPoint(300, 110.0, 60.0),
        SumPoint(600, 105.0, 55.0),
        SumPoint(900, 106.0, 56.0),
    ]
    assert find_corrections(points) == [SumCorrection(600, 5.0)]


def test_count_that_begins_at_zero_is_right_already() -> None:
    """Home Assistant adds what a new count shows."""
    points = [SumPoint(0, 5000.0, 1421.0), SumPoint(300, 0.5, 1421.5)]
    assert not find_corrections(points)


def test_new_count_whose_sum_starts_at_zero_is_continued() -> None:
    """The flash was erased, and the rows were purged."""
    points = [SumPoint(0, 5000.0, 1421.0), SumPoint(300, 12.0, 0.1)]
    (correction,) = find_corrections(points)
    assert correction.energy == pytest.approx(1432.9)


def test_sum_that_a_person_has_lowered_stays() -> None:
    """The developer tools of Home Assistant adjust a sum from an hour on."""
    points = [
        SumPoint(0, 100.0, 50.0),
        SumPoint(3600, 101.0, 46.0),
        SumPoint(7200, 102.0, 47.0),
    ]
    assert not find_corrections(points)


def test_right_rows_after_wrong_ones_stay() -> None:
    """A later row continues from one before the wrong rows."""
    points = [
        SumPoint(0, 100.0, 50.0),
        SumPoint(3600, 101.0, 0.5),
        SumPoint(7200, 102.0, 52.0),
    ]
    assert find_corrections(points) == [
        SumCorrection(3600, 50.5),
        SumCorrection(7200, -50.5),
    ]


@given(st.lists(st.floats(0, 40), min_size=2, max_size=50), st.floats(0, 1e5))
def test_sums_of_a_single_count_are_right(gains: list[float], begin: float) -> None:
    """Whatever the meter counts, its sum is not corrected."""
    state, points = begin, []
    for index, gain in enumerate(gains):
        state += gain
        points.append(SumPoint(300 * index, state, state - begin))
    assert not find_corrections(points)


RATE = 10_000.0


def hour(index: int, state: float, sum_: float) -> SumPoint:
    """Return the row of an hour."""
    return SumPoint(3600 * index, state, sum_)


def test_value_within_an_hour_that_no_meter_measures_is_taken_out() -> None:
    """Home Assistant added the value, and the whole count when it was gone."""
    hours = [hour(0, 12.0, 2.0), hour(1, 12.2, 1e9 + 14.2), hour(2, 12.5, 1e9 + 14.5)]
    repair = find_impossible(hours, rate=RATE, highest=1e8)
    assert repair is not None
    assert [row.sum for row in repair.hours] == pytest.approx([2.2, 2.5])
    assert repair.tail is not None
    assert repair.tail.energy == pytest.approx(-1e9 - 12)


def test_value_at_the_end_of_an_hour_is_taken_out_of_both() -> None:
    """The next hour has counted all that the total shows."""
    hours = [
        hour(0, 12.0, 2.0),
        hour(1, 1e9, 1e9 - 10),
        hour(2, 12.5, 1e9 + 2.5),
        hour(3, 13.0, 1e9 + 3.0),
    ]
    repair = find_impossible(hours, rate=RATE, highest=1e8)
    assert repair is not None
    assert [row.sum for row in repair.hours] == pytest.approx([2.0, 2.5, 3.0])
    assert [row.state for row in repair.hours] == [12.0, 12.5, 13.0]


def test_impossible_hour_that_was_filled_in_is_repaired_alone() -> None:
    """An older version took a record of the journal as it was."""
    hours = [hour(0, 12.0, 2.0), hour(1, 1e9 + 12, 1e9 + 2), hour(2, 16.0, 6.0)]
    repair = find_impossible(hours, rate=RATE, highest=1e8)
    assert repair is not None
    assert [row.sum for row in repair.hours] == pytest.approx([2.0, 6.0])
    assert repair.tail is None


def test_what_a_meter_can_measure_is_not_repaired() -> None:
    """A gap of days, a new count and a correction by a person are possible."""
    hours = [
        hour(0, 5000.0, 1421.0),
        hour(900, 9000.0, 5421.0),
        hour(901, 0.5, 5421.5),
        hour(902, 1.0, 5400.0),
    ]
    assert find_impossible(hours, rate=RATE, highest=1e8) is None

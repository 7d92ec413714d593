"""Missed hours are planned with their rows, and no other hours."""

from collections.abc import Callable, Collection, Mapping
from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.nrj_monitor.backfill.journal import Summary
from custom_components.nrj_monitor.backfill.plan import (
    HOUR,
    NO_RECORDS,
    MeanRow,
    SumRow,
    hours_between,
    plan_means,
    plan_sums,
)
from custom_components.nrj_monitor.backfill.timeline import EnergyEstimate

HOURS = range(0, 6 * HOUR, HOUR)
OFFSET = -40.0
"""Difference of the recorder's sum and the meter's total, kWh."""


def constant_load(kilowatts: float = 2.0) -> Callable[[float], EnergyEstimate]:
    """Return the total over time of a constant load, starting at 50 kWh."""

    def energy_at(time: float) -> EnergyEstimate:
        total = 50.0 + kilowatts * time / HOUR
        return EnergyEstimate(total, total, total)

    return energy_at


def live(hour: int, late: float = 0.0) -> SumRow:
    """Return the recorded row of an hour, whose state is `late` seconds old."""
    state = constant_load()(hour + HOUR - late).value
    return SumRow(state, state + OFFSET)


def test_hours_end_within_the_timeline() -> None:
    """An hour counts once the timeline has its end."""
    assert list(hours_between(1800, 3 * HOUR)) == [0, HOUR, 2 * HOUR]
    assert not hours_between(1800, 3599)
    assert list(hours_between(HOUR, 2 * HOUR)) == [HOUR]


def test_hour_whose_end_was_not_read_is_filled() -> None:
    """Even where its row lies within the bounds of a coarse record."""

    def energy_at(time: float) -> EnergyEstimate:
        exact = constant_load()(time).value
        # A record of a minute lies around each end of an hour.
        return EnergyEstimate(exact, exact - 0.02, exact + 0.02)

    def plan(
        rows: Mapping[int, SumRow], unread: Collection[float]
    ) -> Mapping[int, SumRow]:
        return plan_sums(
            range(0, 3 * HOUR, HOUR),
            rows,
            energy_at,
            before=None,
            after=None,
            step=0.002,
            was_read=lambda time: time not in unread,
        ).rows

    rows = {0: live(0), HOUR: live(HOUR, 30), 2 * HOUR: live(2 * HOUR)}
    end = 2 * HOUR
    assert not plan(rows, ())
    assert not plan(rows, (end,)), "the link was lost a moment before"
    exact = constant_load()(end).value
    filled = plan(rows, (end - 5, end))
    assert filled == {HOUR: SumRow(exact, exact + OFFSET)}
    assert not plan(rows | {**filled}, (end - 5, end)), "twice changes nothing"


def test_energy_of_a_gap_is_spread_over_its_hours() -> None:
    """10 kWh in the hour of return become 2, 3, 3 and 2 kWh."""
    totals = {0: 100.0, 1: 102.0, 2: 105.0, 3: 108.0, 4: 110.0}

    def energy_at(time: float) -> EnergyEstimate:
        total = totals[int(time // HOUR)]
        return EnergyEstimate(total, total, total)

    before = SumRow(100.0, 7.0)
    returned = SumRow(110.0, 17.0)
    plan = plan_sums(
        range(0, 4 * HOUR, HOUR),
        {3 * HOUR: returned},
        lambda time: energy_at(time) if time % HOUR == 0 else None,
        before=before,
        after=returned,
        step=0.002,
    )
    sums = [7.0, *(row.sum for row in plan.rows.values()), returned.sum]
    assert [b - a for a, b in pairwise(sums)] == [2, 3, 3, 2]
    assert not plan.unclear


def test_measured_hours_stay_as_they_are() -> None:
    """A state may lag a little behind the meter."""
    rows = {hour: live(hour, late=4.0) for hour in HOURS}
    plan = plan_sums(HOURS, rows, constant_load(), before=None, after=None, step=0.002)
    assert not plan.rows
    assert not plan.unclear


def test_interrupted_hour_gets_its_end() -> None:
    """The row of an hour with a lost link has the last state before the loss."""
    rows = {0: live(0), HOUR: live(HOUR, late=1500.0), 3 * HOUR: live(3 * HOUR)}
    plan = plan_sums(
        range(0, 4 * HOUR, HOUR),
        rows,
        constant_load(),
        before=None,
        after=None,
        step=0.002,
    )
    assert plan.rows == {hour: live(hour) for hour in (HOUR, 2 * HOUR)}


def test_link_lost_just_before_the_end_of_an_hour_is_noticed() -> None:
    """Half a minute of ten kilowatts is more than a state may lag behind."""

    def energy_at(time: float) -> EnergyEstimate:
        exact = 50.0 + 10.0 * time / HOUR
        low = 50.0 + 10.0 * (time // 60 * 60) / HOUR
        high = exact if low == exact else low + 10.0 / 60
        return EnergyEstimate(exact, low, high)

    late = SumRow(60.0 - 30 * 10 / HOUR, 20.0 - 30 * 10 / HOUR)
    rows = {0: late, HOUR: SumRow(70.0, 30.0)}
    plan = plan_sums(
        range(0, 2 * HOUR, HOUR), rows, energy_at, before=None, after=None, step=0.002
    )
    assert plan.rows == {0: SumRow(60.0, 20.0)}


def test_first_hour_gets_its_end_too() -> None:
    """Its row was true at some time, so the other hours continue from its sum."""
    rows = {0: live(0, late=300.0), HOUR: live(HOUR)}
    plan = plan_sums(
        range(0, 2 * HOUR, HOUR),
        rows,
        constant_load(),
        before=None,
        after=None,
        step=0.002,
    )
    assert plan.rows == {0: live(0)}


def test_rows_that_repeat_an_old_state_are_replaced() -> None:
    """Home Assistant was killed and carried the last state on."""
    rows = {0: live(0), HOUR: live(0), 2 * HOUR: live(0), 3 * HOUR: live(3 * HOUR)}
    plan = plan_sums(
        range(0, 4 * HOUR, HOUR),
        rows,
        constant_load(),
        before=None,
        after=None,
        step=0.002,
    )
    assert set(plan.rows) == {HOUR, 2 * HOUR}


@given(missing=st.sets(st.sampled_from(list(HOURS)[1:-1])))
def test_second_plan_is_empty(missing: set[int]) -> None:
    """Filled hours count as measured from then on."""
    rows = {hour: live(hour) for hour in HOURS if hour not in missing}
    first = plan_sums(HOURS, rows, constant_load(), before=None, after=None, step=0.002)
    assert set(first.rows) == missing
    filled = rows | dict(first.rows)
    for earlier, later in pairwise(HOURS):
        assert filled[later].sum - filled[earlier].sum == pytest.approx(2.0)
    again = plan_sums(
        HOURS, filled, constant_load(), before=None, after=None, step=0.002
    )
    assert not again.rows


def test_gap_in_which_the_total_started_over_is_unclear() -> None:
    """Rows before and after have different offsets, and nobody knows since when."""
    restarted = SumRow(live(3 * HOUR).state, live(3 * HOUR).sum + 12.0)
    plan = plan_sums(
        range(0, 4 * HOUR, HOUR),
        {0: live(0), 3 * HOUR: restarted},
        constant_load(),
        before=None,
        after=None,
        step=0.002,
    )
    assert not plan.rows
    assert set(plan.unclear) == {HOUR, 2 * HOUR}


def test_gap_before_a_total_that_started_over_is_unclear() -> None:
    """The row after the hours, of five minutes, has another offset."""
    plan = plan_sums(
        range(0, 2 * HOUR, HOUR),
        {0: live(0)},
        constant_load(),
        before=None,
        after=SumRow(1.0, 99.0),
        step=0.002,
    )
    assert not plan.rows
    assert plan.unclear == {HOUR: "the total started over"}


def new_count(begin: float = 0.5 * HOUR) -> Callable[[float], EnergyEstimate | None]:
    """Return the total over time of 2 kW that is zero at `begin` and unknown before."""

    def energy_at(time: float) -> EnergyEstimate | None:
        if time < begin:
            return None
        total = 2.0 * (time - begin) / HOUR
        return EnergyEstimate(total, total, total)

    return energy_at


@pytest.mark.parametrize("state", [5000.0, 110.0, 9.0])
def test_new_count_begins_where_the_old_sum_ended(state: float) -> None:
    """The meter is new or its flash erased, and no row shows the new count yet."""
    old = SumRow(state, 1421.0)
    plan = plan_sums(
        range(0, 4 * HOUR, HOUR),
        {},
        new_count(),
        before=old,
        after=None,
        step=0.002,
    )
    assert [row.state for row in plan.rows.values()] == [1.0, 3.0, 5.0, 7.0]
    assert [row.sum for row in plan.rows.values()] == [1422.0, 1424.0, 1426.0, 1428.0]
    assert not plan.unclear


def test_new_count_after_a_few_watt_hours_takes_none_of_them_back() -> None:
    """Home Assistant begins anew below nine tenths of a total, however small."""
    plan = plan_sums(
        range(0, HOUR, HOUR),
        {},
        lambda time: EnergyEstimate(0.0, 0.0, 0.0),
        before=SumRow(0.01, 0.01),
        after=SumRow(0.0, 0.01),
        step=0.002,
    )
    assert plan.rows == {0: SumRow(0.0, 0.01)}
    assert not plan.corrections


@pytest.mark.parametrize(
    ("row", "total"),
    [
        (None, 4.67),
        (SumRow(0.29, 4.67), 4.67),
        # The old count went on for a while.
        (SumRow(0.35, 4.73), 4.73),
        # Home Assistant has followed the new count, for a part of the hour.
        (SumRow(0.8, 5.47), 4.67),
    ],
)
def test_new_count_that_is_already_above_the_old_one_begins_anew(
    row: SumRow | None, total: float
) -> None:
    """An erased meter's first hour may have more than all that it had counted before."""
    plan = plan_sums(
        range(0, 2 * HOUR, HOUR),
        {} if row is None else {0: row},
        new_count(),
        before=SumRow(0.29, 4.67),
        after=None,
        step=0.002,
    )
    sums = {hour: row.sum for hour, row in plan.rows.items()}
    assert sums == pytest.approx({0: total + 1.0, HOUR: total + 3.0})
    assert not plan.unclear


def test_new_count_within_an_hour_with_a_row_of_the_old_one() -> None:
    """The hour gets what the new count has at its end, on the sum of the old one."""
    plan = plan_sums(
        range(0, 3 * HOUR, HOUR),
        {0: SumRow(5000.0, 1421.0)},
        new_count(),
        before=SumRow(4999.0, 1420.0),
        after=SumRow(6.0, 1427.0),
        step=0.002,
    )
    assert plan.rows == {
        0: SumRow(1.0, 1422.0),
        HOUR: SumRow(3.0, 1424.0),
        2 * HOUR: SumRow(5.0, 1426.0),
    }
    assert not plan.unclear


def test_new_count_a_little_below_the_old_one_begins_with_its_first_total() -> None:
    """Nobody counted down; Home Assistant takes less than a tenth as a dip."""

    def energy_at(time: float) -> EnergyEstimate | None:
        known = new_count()(time)
        return None if known is None else EnergyEstimate(*(104.0 + v for v in known))

    plan = plan_sums(
        range(0, 2 * HOUR, HOUR),
        {},
        energy_at,
        before=SumRow(110.0, 60.0),
        after=None,
        step=0.002,
        first_total=104.0,
    )
    assert plan.rows == {0: SumRow(105.0, 61.0), HOUR: SumRow(107.0, 63.0)}


def test_new_count_continues_from_a_row_that_knows_more_of_the_old_one() -> None:
    """The five minutes before the outage had more than the last whole hour."""
    plan = plan_sums(
        range(0, 2 * HOUR, HOUR),
        {},
        new_count(),
        before=SumRow(5000.0, 1421.0),
        after=SumRow(4.0, 1425.5),
        step=0.002,
    )
    assert plan.rows == {0: SumRow(1.0, 1422.5), HOUR: SumRow(3.0, 1424.5)}


@given(
    old=st.floats(0, 1e5),
    sum_=st.floats(0, 1e5),
    begin=st.floats(0, HOUR - 1),
    first=st.floats(0, 1e5),
)
def test_sum_never_falls(old: float, sum_: float, begin: float, first: float) -> None:
    """Whatever the old count and the new one show."""

    def energy_at(time: float) -> EnergyEstimate | None:
        known = new_count(begin)(time)
        return None if known is None else EnergyEstimate(*(first + v for v in known))

    plan = plan_sums(
        range(0, 5 * HOUR, HOUR),
        {},
        energy_at,
        before=SumRow(old, sum_),
        after=None,
        step=0.002,
        first_total=first,
    )
    sums = [sum_, *(row.sum for row in plan.rows.values())]
    assert all(later >= sum_ - 0.03 for sum_, later in pairwise(sums))


def test_hours_before_the_first_row_are_unclear() -> None:
    """Without an earlier row there is no sum to continue from."""
    plan = plan_sums(
        range(0, HOUR, HOUR), {}, constant_load(), before=None, after=None, step=0.002
    )
    assert plan.unclear == {0: "there are no statistics before it"}


def test_hours_ahead_of_the_meter_are_unclear() -> None:
    """The statistics are another meter's, or the meter has lost its totals."""
    ahead = SumRow(90.0, 50.0)
    plan = plan_sums(
        range(0, HOUR, HOUR),
        {0: ahead},
        constant_load(),
        before=None,
        after=None,
        step=0.002,
    )
    assert not plan.rows
    assert plan.unclear == {0: "the statistics are ahead of the meter"}


def test_row_within_the_bounds_of_a_coarse_record_stays() -> None:
    """The journal only has the totals before and after the end of the hour."""
    coarse = EnergyEstimate(52.0, 50.0, 56.0)
    row = SumRow(50.9, 10.9)
    plan = plan_sums(
        range(0, HOUR, HOUR),
        {0: row},
        lambda time: coarse,
        before=None,
        after=None,
        step=0.002,
    )
    assert not plan.rows
    assert not plan.unclear


def test_hours_outside_the_timeline_are_not_planned() -> None:
    """The journal has no total to fill such hours with."""
    plan = plan_sums(
        HOURS, {}, lambda time: None, before=live(-HOUR), after=None, step=0.002
    )
    assert not plan.rows


def summary(begin: float, end: float) -> tuple[Summary, float]:
    """Return the journal's summary of any hour."""
    return Summary(230.0, 225.0, 236.0), end - begin


def test_hour_without_a_row_gets_the_summary_of_the_journal() -> None:
    """The row has mean, least and greatest measurement."""
    planned = plan_means(
        [0, HOUR], {0: MeanRow(231.0, 229.0, 233.0)}, lambda hour: True, summary
    )
    assert planned == {HOUR: MeanRow(230.0, 225.0, 236.0)}


def test_flat_row_without_states_is_replaced() -> None:
    """Home Assistant was killed and carried the last state on."""
    flat = MeanRow(231.0, 231.0, 231.0)
    assert plan_means([0], {0: flat}, lambda hour: False, summary)
    assert not plan_means([0], {0: flat}, lambda hour: True, summary)


def test_row_is_not_replaced_by_a_few_minutes() -> None:
    """Less than half an hour of records does not stand for the hour."""
    flat = MeanRow(231.0, 231.0, 231.0)

    def short(begin: float, end: float) -> tuple[Summary, float]:
        return summary(begin, end)[0], 1000.0

    assert not plan_means([0], {0: flat}, lambda hour: False, short)
    assert plan_means([0], {}, lambda hour: False, short)
    assert not plan_means([0], {}, lambda hour: False, lambda begin, end: None)


def test_equal_row_is_not_planned() -> None:
    """A constant voltage has the right row already."""
    still = MeanRow(230.0, 230.0, 230.0)
    assert not plan_means(
        [0],
        {0: still},
        lambda hour: False,
        lambda begin, end: (Summary(230.0, 230.0, 230.0), end - begin),
    )


def test_hours_without_records_are_left_alone() -> None:
    """What was used in them appears in the first hour after them."""
    rows = {0: live(0), 5 * HOUR: live(5 * HOUR)}
    plan = plan_sums(
        HOURS,
        rows,
        constant_load(),
        before=None,
        after=None,
        step=0.01,
        is_recorded=lambda time: not HOUR < time < 4 * HOUR,
    )
    assert plan.unclear == dict.fromkeys((HOUR, 2 * HOUR), NO_RECORDS)
    assert plan.rows == {3 * HOUR: live(3 * HOUR), 4 * HOUR: live(4 * HOUR)}


def test_rows_of_a_wrong_clock_are_replaced() -> None:
    """Where the journal knows better, with records or without; true ones stay."""
    false = SumRow(live(5 * HOUR).state + 4, live(5 * HOUR).sum + 4)
    rows = {0: live(0), HOUR: false, 2 * HOUR: false, 3 * HOUR: live(3 * HOUR)}
    plan = plan_sums(
        range(0, 4 * HOUR, HOUR),
        rows,
        constant_load(),
        before=None,
        after=None,
        step=0.01,
        is_recorded=lambda time: time != 3 * HOUR,
        is_doubtful=lambda hour: True,
    )
    assert plan.rows == {HOUR: live(HOUR), 2 * HOUR: live(2 * HOUR)}
    assert not plan.unclear


def test_doubtful_row_is_none_to_continue_from() -> None:
    """A first row of all that is false has no true sum."""
    plan = plan_sums(
        HOURS,
        {0: SumRow(live(5 * HOUR).state, 0.0)},
        constant_load(),
        before=None,
        after=None,
        step=0.01,
        is_doubtful=lambda hour: hour == 0,
    )
    assert not plan.rows
    assert set(plan.unclear) == set(HOURS)


def test_hour_filled_in_under_a_wrong_clock_is_not_of_the_count_before() -> None:
    """The count began anew in that hour; the rows of five minutes tell where the old ended."""
    begin = 0.5 * HOUR

    def energy_at(time: float) -> EnergyEstimate | None:
        if time < begin:
            return None
        total = (time - begin) / HOUR
        return EnergyEstimate(total, total, total)

    plan = plan_sums(
        range(0, 2 * HOUR, HOUR),
        {0: SumRow(1.2, 41.2)},
        energy_at,
        before=SumRow(99.0, 39.0),
        after=None,
        step=0.002,
        ended=SumRow(100.0, 40.0),
        is_doubtful=lambda hour: hour == 0,
    )
    assert plan.rows == {0: SumRow(0.5, 40.5), HOUR: SumRow(1.5, 41.5)}


def test_row_of_the_new_count_has_all_of_the_old_one() -> None:
    """Home Assistant read both within five minutes, and lost the link before the hour's end."""
    begin = 0.5 * HOUR

    def energy_at(time: float) -> EnergyEstimate | None:
        if time < begin:
            return None
        total = (time - begin) / HOUR
        return EnergyEstimate(total, total, total)

    plan = plan_sums(
        range(0, HOUR, HOUR),
        {0: SumRow(0.2, 40.6)},
        energy_at,
        before=SumRow(99.0, 39.0),
        after=None,
        step=0.002,
        ended=SumRow(100.0, 40.0),
        was_read=lambda time: False,
    )
    assert plan.rows[0].sum == pytest.approx(40.4 + 0.5)


def test_a_small_total_begins_anew_with_the_others() -> None:
    """It has more than before by now, as nothing but another total of the meter shows."""
    begin = 0.5 * HOUR

    def energy_at(time: float) -> EnergyEstimate | None:
        if time < begin:
            return None
        total = 0.3 + (time - begin) / HOUR
        return EnergyEstimate(total, total, total)

    plan = plan_sums(
        range(0, 2 * HOUR, HOUR),
        {0: SumRow(0.2, 0.2)},
        energy_at,
        before=SumRow(0.1, 0.1),
        after=None,
        step=0.002,
        first_total=0.3,
        ended=SumRow(0.2, 0.2),
        is_anew=True,
    )
    assert plan.rows[0].sum == pytest.approx(0.2 + 0.8)
    assert plan.rows[HOUR].sum == pytest.approx(0.2 + 1.8)


def test_means_of_a_wrong_clock_are_replaced() -> None:
    """The journal has measured these hours."""
    planned = plan_means(
        [0, HOUR],
        {0: MeanRow(1.0, 0.5, 2.0), HOUR: MeanRow(1.0, 0.5, 2.0)},
        lambda hour: True,
        lambda begin, end: (Summary(3.0, 2.5, 3.5), end - begin),
        lambda hour: hour == HOUR,
    )
    assert planned == {HOUR: MeanRow(3.0, 2.5, 3.5)}

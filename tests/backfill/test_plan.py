"""The hours that were missed are filled, and no other."""

from collections.abc import Callable, Collection, Mapping
from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.nrj_monitor.backfill.journal import Summary
from custom_components.nrj_monitor.backfill.plan import (
    HOUR,
    MeanRow,
    SumRow,
    hours_between,
    plan_means,
    plan_sums,
)
from custom_components.nrj_monitor.backfill.timeline import EnergyEstimate

HOURS = range(0, 6 * HOUR, HOUR)
OFFSET = -40.0
"""What the recorder's sum and the meter's total differ by."""


def meter(kilowatts: float = 2.0) -> Callable[[float], EnergyEstimate]:
    """Return the totals of a meter with a constant load: 50 kWh at the beginning."""

    def reading(time: float) -> EnergyEstimate:
        total = 50.0 + kilowatts * time / HOUR
        return EnergyEstimate(total, total, total)

    return reading


def live(hour: int, late: float = 0.0) -> SumRow:
    """Return the row that was recorded in an hour, whose state is `late` seconds old."""
    state = meter()(hour + HOUR - late).value
    return SumRow(state, state + OFFSET)


def test_hours_are_those_that_end_within_what_is_known() -> None:
    """An hour counts once its end is known."""
    assert list(hours_between(1800, 3 * HOUR)) == [0, HOUR, 2 * HOUR]
    assert not hours_between(1800, 3599)
    assert list(hours_between(HOUR, 2 * HOUR)) == [HOUR]


def test_an_hour_whose_end_nobody_saw_is_no_live_hour() -> None:
    """However near its row comes to what a coarse record leaves open."""

    def reading(time: float) -> EnergyEstimate:
        exact = meter()(time).value
        # A record of a minute lies around each end of an hour.
        return EnergyEstimate(exact, exact - 0.02, exact + 0.02)

    def plan(
        rows: Mapping[int, SumRow], away: Collection[float]
    ) -> Mapping[int, SumRow]:
        return plan_sums(
            range(0, 3 * HOUR, HOUR),
            rows,
            reading,
            before=None,
            after=None,
            step=0.002,
            seen=lambda time: time not in away,
        ).rows

    rows = {0: live(0), HOUR: live(HOUR, 30), 2 * HOUR: live(2 * HOUR)}
    end = 2 * HOUR
    assert not plan(rows, ())
    assert not plan(rows, (end,)), "it was lost a moment before"
    exact = meter()(end).value
    filled = plan(rows, (end - 5, end))
    assert filled == {HOUR: SumRow(exact, exact + OFFSET)}
    assert not plan(rows | {**filled}, (end - 5, end)), "twice changes nothing"


def test_a_lump_after_a_gap_becomes_the_hours_it_was() -> None:
    """The example of the reference: 10 kWh at once were 2, 3, 3 and 2."""
    totals = {0: 100.0, 1: 102.0, 2: 105.0, 3: 108.0, 4: 110.0}

    def reading(time: float) -> EnergyEstimate:
        total = totals[int(time // HOUR)]
        return EnergyEstimate(total, total, total)

    before = SumRow(100.0, 7.0)
    returned = SumRow(110.0, 17.0)
    plan = plan_sums(
        range(0, 4 * HOUR, HOUR),
        {3 * HOUR: returned},
        lambda time: reading(time) if time % HOUR == 0 else None,
        before=before,
        after=returned,
        step=0.002,
    )
    sums = [7.0, *(row.sum for row in plan.rows.values()), returned.sum]
    assert [b - a for a, b in pairwise(sums)] == [2, 3, 3, 2]
    assert not plan.unclear


def test_hours_with_live_readings_stay_as_they_are() -> None:
    """A state lags a little behind the meter, and is right."""
    rows = {hour: live(hour, late=4.0) for hour in HOURS}
    plan = plan_sums(HOURS, rows, meter(), before=None, after=None, step=0.002)
    assert not plan.rows
    assert not plan.unclear


def test_an_hour_that_broke_off_gets_its_end() -> None:
    """The link was cut within it: its row shows the state of then."""
    rows = {0: live(0), HOUR: live(HOUR, late=1500.0), 3 * HOUR: live(3 * HOUR)}
    plan = plan_sums(
        range(0, 4 * HOUR, HOUR), rows, meter(), before=None, after=None, step=0.002
    )
    assert plan.rows == {hour: live(hour) for hour in (HOUR, 2 * HOUR)}


def test_a_link_that_was_cut_just_before_the_end_of_an_hour_is_noticed() -> None:
    """Half a minute of ten kilowatts is not what a state may be behind."""

    def reading(time: float) -> EnergyEstimate:
        exact = 50.0 + 10.0 * time / HOUR
        low = 50.0 + 10.0 * (time // 60 * 60) / HOUR
        high = exact if low == exact else low + 10.0 / 60
        return EnergyEstimate(exact, low, high)

    late = SumRow(60.0 - 30 * 10 / HOUR, 20.0 - 30 * 10 / HOUR)
    rows = {0: late, HOUR: SumRow(70.0, 30.0)}
    plan = plan_sums(
        range(0, 2 * HOUR, HOUR), rows, reading, before=None, after=None, step=0.002
    )
    assert plan.rows == {0: SumRow(60.0, 20.0)}


def test_the_very_first_hour_gets_its_end_too() -> None:
    """What its row shows was so at some time, so its sum is one to go on from."""
    rows = {0: live(0, late=300.0), HOUR: live(HOUR)}
    plan = plan_sums(
        range(0, 2 * HOUR, HOUR), rows, meter(), before=None, after=None, step=0.002
    )
    assert plan.rows == {0: live(0)}


def test_rows_that_repeat_an_old_state_are_replaced() -> None:
    """Home Assistant was killed and carried the last state on."""
    rows = {0: live(0), HOUR: live(0), 2 * HOUR: live(0), 3 * HOUR: live(3 * HOUR)}
    plan = plan_sums(
        range(0, 4 * HOUR, HOUR), rows, meter(), before=None, after=None, step=0.002
    )
    assert set(plan.rows) == {HOUR, 2 * HOUR}


@given(missing=st.sets(st.sampled_from(list(HOURS)[1:-1])))
def test_healing_again_changes_nothing(missing: set[int]) -> None:
    """What was filled in counts as measured from then on."""
    rows = {hour: live(hour) for hour in HOURS if hour not in missing}
    first = plan_sums(HOURS, rows, meter(), before=None, after=None, step=0.002)
    assert set(first.rows) == missing
    healed = rows | dict(first.rows)
    for earlier, later in pairwise(HOURS):
        assert healed[later].sum - healed[earlier].sum == pytest.approx(2.0)
    again = plan_sums(HOURS, healed, meter(), before=None, after=None, step=0.002)
    assert not again.rows


def test_a_total_that_started_over_in_the_gap_is_left_alone() -> None:
    """Its sums do not lie on one line, and nobody can tell where it broke."""
    restarted = SumRow(live(3 * HOUR).state, live(3 * HOUR).sum + 12.0)
    plan = plan_sums(
        range(0, 4 * HOUR, HOUR),
        {0: live(0), 3 * HOUR: restarted},
        meter(),
        before=None,
        after=None,
        step=0.002,
    )
    assert not plan.rows
    assert set(plan.unclear) == {HOUR, 2 * HOUR}


def test_a_total_that_started_over_after_the_gap_is_left_alone() -> None:
    """The latest five minutes tell where the hours do not yet."""
    plan = plan_sums(
        range(0, 2 * HOUR, HOUR),
        {0: live(0)},
        meter(),
        before=None,
        after=SumRow(1.0, 99.0),
        step=0.002,
    )
    assert not plan.rows
    assert plan.unclear == {HOUR: "the total started over"}


def test_nothing_is_invented_before_the_first_hour() -> None:
    """Without an hour before there is no sum to go on from."""
    plan = plan_sums(
        range(0, HOUR, HOUR), {}, meter(), before=None, after=None, step=0.002
    )
    assert plan.unclear == {0: "there are no statistics before it"}


def test_statistics_ahead_of_the_meter_are_left_alone() -> None:
    """They are another meter's, or the meter lost its totals."""
    ahead = SumRow(90.0, 50.0)
    plan = plan_sums(
        range(0, HOUR, HOUR), {0: ahead}, meter(), before=None, after=None, step=0.002
    )
    assert not plan.rows
    assert plan.unclear == {0: "the statistics are ahead of the meter"}


def test_a_row_within_a_coarse_record_is_believed() -> None:
    """The journal only knows between which totals it must lie."""
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


def test_hours_the_journal_does_not_know_are_left_alone() -> None:
    """There is nothing to fill them with."""
    plan = plan_sums(
        HOURS, {}, lambda time: None, before=live(-HOUR), after=None, step=0.002
    )
    assert not plan.rows


def summary(begin: float, end: float) -> tuple[Summary, float]:
    """Return what the journal says of any hour."""
    return Summary(230.0, 225.0, 236.0), end - begin


def test_an_hour_without_a_row_gets_the_journals() -> None:
    """Mean, least and greatest."""
    planned = plan_means(
        [0, HOUR], {0: MeanRow(231.0, 229.0, 233.0)}, lambda hour: True, summary
    )
    assert planned == {HOUR: MeanRow(230.0, 225.0, 236.0)}


def test_a_flat_row_that_nothing_measured_is_replaced() -> None:
    """Home Assistant was killed and carried the last state on."""
    flat = MeanRow(231.0, 231.0, 231.0)
    assert plan_means([0], {0: flat}, lambda hour: False, summary)
    assert not plan_means([0], {0: flat}, lambda hour: True, summary)


def test_a_row_is_not_replaced_by_a_few_minutes() -> None:
    """What the journal knows less of than half an hour does not tell of the hour."""
    flat = MeanRow(231.0, 231.0, 231.0)

    def short(begin: float, end: float) -> tuple[Summary, float]:
        return summary(begin, end)[0], 1000.0

    assert not plan_means([0], {0: flat}, lambda hour: False, short)
    assert plan_means([0], {}, lambda hour: False, short)
    assert not plan_means([0], {}, lambda hour: False, lambda begin, end: None)


def test_the_same_row_is_not_written_again() -> None:
    """A voltage that stood still is right already."""
    still = MeanRow(230.0, 230.0, 230.0)
    assert not plan_means(
        [0],
        {0: still},
        lambda hour: False,
        lambda begin, end: (Summary(230.0, 230.0, 230.0), end - begin),
    )

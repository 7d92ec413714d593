"""A new meter's totals go on from the old one's, whatever they are."""

from collections.abc import Callable
from dataclasses import replace
import json

import pytest

from custom_components.nrj_monitor.backfill.fill_gaps import hours_left
from custom_components.nrj_monitor.backfill.plan import HOUR, SumRow, plan_sums
from custom_components.nrj_monitor.backfill.replacement import Handover, Replacement
from custom_components.nrj_monitor.backfill.running_sum import (
    RESET_RATIO,
    SumPoint,
    find_corrections,
    find_impossible,
)
from custom_components.nrj_monitor.backfill.timeline import (
    EnergyEstimate,
    EnergyTimeline,
)

OLD = 100.0
"""kWh, the old meter's last total."""

SUM = 40.0
"""kWh at that total."""

FIRSTS = (0.0, 20.0, 95.0, 100.0, 3000.0)
"""Totals of new meters: counted from zero, below, just below, the same, above."""


def recorder_sum(before: SumPoint, first: float, last: float) -> float:
    """Return the sum as Home Assistant goes on from a row to a total: sensor/recorder.py."""
    is_reset = first < RESET_RATIO * before.state
    return before.sum + last - (0.0 if is_reset else before.state)


@pytest.mark.parametrize("first", FIRSTS)
def test_the_difference_of_two_meters_is_no_energy(first: float) -> None:
    """The first row of the new meter has what it has counted, and it is corrected once."""
    old = [SumPoint(at, OLD - 1 + at / 300, SUM - 1 + at / 300, 300) for at in (0, 300)]
    handover = Handover(begin=650, since=650, last=old[-1].state, first=first)
    states = [first + 0.5, first + 1.0]
    total = recorder_sum(old[-1], first, states[0])
    new = [
        SumPoint(600, states[0], total, 300),
        SumPoint(900, states[1], total + 0.5, 300),
    ]
    corrections = find_corrections([*old, *new], handover=handover)
    added = sum(correction.energy for correction in corrections)
    assert total + added == pytest.approx(old[-1].sum + 0.5, abs=0.02)
    assert {correction.start for correction in corrections} <= {600}
    fixed = [
        SumPoint(point.start, point.state, point.sum + added, 300) for point in new
    ]
    assert not find_corrections([*old, *fixed], handover=handover)


def test_what_the_old_meter_told_last_stays() -> None:
    """It was read after the last row of its own: that energy is in the row of both."""
    old = SumPoint(0, OLD, SUM, 300)
    handover = Handover(begin=450, since=460, last=OLD + 0.3, first=3000.0)
    both = SumPoint(300, 3000.1, SUM + 3000.1 - OLD, 300)
    (correction,) = find_corrections([old, both], handover=handover)
    assert both.sum + correction.energy == pytest.approx(SUM + 0.3 + 0.1)


def test_sum_of_a_new_meter_that_began_at_zero_is_continued() -> None:
    """The rows of five minutes were purged while there was no meter."""
    old = SumPoint(0, OLD, SUM, HOUR)
    handover = Handover(begin=900 * HOUR, since=900 * HOUR, last=OLD, first=20.0)
    new = SumPoint(900 * HOUR, 20.5, 0.5, 300)
    (correction,) = find_corrections([old, new], handover=handover)
    assert new.sum + correction.energy == pytest.approx(SUM + 0.5)


def test_sum_that_a_person_has_corrected_stays() -> None:
    """Only what Home Assistant does of itself is corrected."""
    old = SumPoint(0, OLD, SUM, 300)
    handover = Handover(begin=300, since=300, last=OLD, first=3000.0)
    adjusted = SumPoint(300, 3000.5, SUM + 7.0, 300)
    assert not find_corrections([old, adjusted], handover=handover)


def test_without_rows_of_both_meters_nothing_is_corrected() -> None:
    """The new meter was not read yet, or the old one has no rows."""
    handover = Handover(begin=300, since=300, last=OLD, first=3000.0)
    assert not find_corrections([SumPoint(0, OLD, SUM, 300)], handover=handover)
    assert not find_corrections([SumPoint(300, 3000.5, 0.5, 300)], handover=handover)


@pytest.mark.parametrize("first", FIRSTS)
def test_hours_filled_in_before_the_new_meter_was_read_stay(first: float) -> None:
    """They came with its journal, and Home Assistant made no row of it yet."""
    handover = Handover(begin=0.5 * HOUR, since=2.5 * HOUR, last=OLD, first=first)
    points = [
        SumPoint(-HOUR, OLD, SUM, HOUR),
        SumPoint(0, first + 0.5, SUM + 0.5, HOUR),
        SumPoint(HOUR, first + 1.5, SUM + 1.5, HOUR),
    ]
    assert not find_corrections(points, handover=handover)


@pytest.mark.parametrize("first", FIRSTS)
def test_row_restored_after_a_purge_is_the_new_meters(first: float) -> None:
    """It is that of the last hour, which was filled in before the new meter was read."""
    handover = Handover(begin=0.5 * HOUR, since=2.5 * HOUR, last=OLD, first=first)
    points = [
        SumPoint(-HOUR, OLD, SUM, HOUR),
        SumPoint(HOUR - 300, first + 0.5, SUM + 0.5, 300),
        SumPoint(3 * HOUR, first + 2.5, SUM + 2.5, 300),
    ]
    minutes = points[1:]
    assert not find_corrections(points, handover=handover, minutes=minutes)


@pytest.mark.parametrize("first", FIRSTS)
def test_sums_stay_where_two_meters_were_replaced_in_a_day(first: float) -> None:
    """The second replacement is no reason to take the first one's sum for wrong."""
    one = Replacement(time=310.0, last={"import_energy": OLD}, since=310.0)
    one = one.with_first(300.0, {"import_energy": first})
    other = Replacement(
        time=910.0, last={"import_energy": first + 1.0}, since=910.0, before=one
    )
    other = other.with_first(900.0, {"import_energy": 5000.0})
    points = [
        SumPoint(0, OLD, SUM, 300),
        SumPoint(300, first + 0.5, SUM + 0.5, 300),
        SumPoint(600, first + 1.0, SUM + 1.0, 300),
        SumPoint(900, 5000.5, SUM + 1.5, 300),
    ]
    handover = other.handover("import_energy")
    assert not find_corrections(points, handover=handover)


@pytest.mark.parametrize("is_filled", [False, True])
@pytest.mark.parametrize("first", FIRSTS)
def test_old_meter_has_what_it_told_after_its_last_hour(
    first: float, *, is_filled: bool
) -> None:
    """Home Assistant has rows of five minutes of the hour of the change, and no other.

    Where its journal dates the hour a little otherwise the second time, the hour that
    was filled in by the first is not taken for the old meter's.
    """
    begin = 0.5 * HOUR
    handover = Handover(begin=begin, since=3.2 * HOUR, last=OLD - 2.0, first=first)
    filled = {0: SumRow(first + 0.52, SUM + 0.52)} if is_filled else {}
    plan = plan_sums(
        range(0, 3 * HOUR, HOUR),
        filled,
        totals(begin, first),
        before=SumRow(OLD - 0.5, SUM - 0.5),
        after=None,
        step=0.002,
        first_total=first,
        handover=handover,
        ended=SumRow(OLD, SUM),
        was_read=lambda time: False,
    )
    assert [row.sum for row in plan.rows.values()] == pytest.approx(
        [SUM + 0.5, SUM + 1.5, SUM + 2.5]
    )


def test_a_total_is_handed_over_once() -> None:
    """The hour of the change was filled in before, and is dated a little otherwise now."""
    begin = HOUR - 20.0
    handover = Handover(begin=0.5 * HOUR, since=1.2 * HOUR, last=OLD, first=3000.0)
    known = totals(0.5 * HOUR, 3000.0)
    plan = plan_sums(
        range(0, 3 * HOUR, HOUR),
        {0: SumRow(3000.503, SUM + 0.503)},
        lambda time: None if time < begin else known(time),
        before=SumRow(OLD, SUM),
        after=None,
        step=0.0005,
        first_total=3000.49,
        handover=handover,
        was_read=lambda time: False,
    )
    assert plan.rows[2 * HOUR].sum == pytest.approx(SUM + 2.5, abs=0.01)


@pytest.mark.parametrize("first", FIRSTS)
def test_hour_of_the_change_is_gone_on_from(first: float) -> None:
    """It was filled in with what the old meter told after its last full hour."""
    handover = Handover(begin=1.5 * HOUR, since=2.2 * HOUR, last=OLD - 2.0, first=first)
    points = [
        SumPoint(0, OLD - 0.5, SUM - 0.5, HOUR),
        SumPoint(HOUR, first + 0.5, SUM + 0.5, HOUR),
    ]
    # As Home Assistant goes on from the row of five minutes that has OLD.
    state = first + 1.2
    minute = SumPoint(HOUR + 1500, OLD, SUM, 300)
    natural = recorder_sum(minute, first, state)
    new = SumPoint(2 * HOUR + 600, state, natural, 300)
    corrections = find_corrections(
        [*points, new], handover=handover, minutes=[minute, new]
    )
    added = sum(correction.energy for correction in corrections)
    assert natural + added == pytest.approx(SUM + 1.2, abs=0.02)


def test_a_total_that_leaps_without_energy_is_possible() -> None:
    """Looking for false hours, a new meter's higher total is none."""
    hours = [
        SumPoint(0, OLD, SUM),
        SumPoint(HOUR, 30_000.0, SUM + 1.0),
        SumPoint(2 * HOUR, 30_001.0, SUM + 2.0),
    ]
    assert find_impossible(hours, rate=1000.0, highest=1e8) is None


def totals(begin: float, first: float) -> Callable[[float], EnergyEstimate | None]:
    """Return the total of a meter of 1 kW since a time."""

    def energy_at(time: float) -> EnergyEstimate | None:
        if time < begin:
            return None
        total = first + (time - begin) / HOUR
        return EnergyEstimate(total, total, total)

    return energy_at


@pytest.mark.parametrize("has_row", [False, True])
@pytest.mark.parametrize("first", FIRSTS)
def test_missed_hours_of_a_new_meter_go_on_from_the_old_sum(
    first: float, *, has_row: bool
) -> None:
    """It was there for hours before it was said, and the old one for half an hour."""
    begin = 0.5 * HOUR
    handover = Handover(begin=begin, since=3.2 * HOUR, last=OLD, first=first)
    row = SumRow(OLD, SUM)
    plan = plan_sums(
        range(0, 3 * HOUR, HOUR),
        {0: row} if has_row else {},
        totals(begin, first),
        before=SumRow(OLD - 0.5, SUM - 0.5),
        after=SumRow(first + 3.0, SUM + 3.0),
        step=0.002,
        first_total=first,
        handover=handover,
        was_read=lambda time: False,
    )
    assert not plan.unclear
    assert [row.sum for row in plan.rows.values()] == pytest.approx(
        [SUM + 0.5, SUM + 1.5, SUM + 2.5]
    )
    assert not plan.corrections


@pytest.mark.parametrize("first", FIRSTS)
def test_a_later_row_that_repeats_the_old_meter_says_nothing(first: float) -> None:
    """Home Assistant makes it of its last state, which is not of the new meter yet."""
    begin = 0.5 * HOUR
    plan = plan_sums(
        range(0, 2 * HOUR, HOUR),
        {0: SumRow(OLD, SUM)},
        totals(begin, first),
        before=SumRow(OLD - 0.5, SUM - 0.5),
        after=SumRow(OLD, SUM),
        step=0.002,
        first_total=first,
        handover=Handover(begin=begin, since=3.2 * HOUR, last=OLD, first=first),
        was_read=lambda time: False,
    )
    assert [row.sum for row in plan.rows.values()] == pytest.approx(
        [SUM + 0.5, SUM + 1.5]
    )
    assert not plan.corrections
    assert not plan.unclear


def test_row_of_the_new_meter_in_the_hour_of_the_change_is_gone_on_from() -> None:
    """Home Assistant read the new meter, and was away at the end of the hour."""
    handover = Handover(begin=100.0, since=110.0, last=OLD, first=3000.0)
    plan = plan_sums(
        range(0, 2 * HOUR, HOUR),
        {0: SumRow(3000.3, SUM + 0.3)},
        totals(100.0, 3000.0),
        before=SumRow(OLD, SUM),
        after=None,
        step=0.002,
        handover=handover,
        was_read=lambda time: False,
    )
    assert plan.rows[0].sum == pytest.approx(SUM + 1 - 100 / HOUR)
    assert plan.rows[HOUR].sum == pytest.approx(SUM + 2 - 100 / HOUR)


def test_row_of_the_old_sum_after_the_hour_of_the_change_is_corrected() -> None:
    """Home Assistant took what the new meter had counted elsewhere for energy drawn here."""
    handover = Handover(begin=100.0, since=HOUR + 10.0, last=OLD, first=OLD + 3000.0)
    plan = plan_sums(
        range(0, HOUR, HOUR),
        {},
        totals(100.0, OLD + 3000.0),
        before=SumRow(OLD, SUM),
        after=SumRow(OLD + 3001.5, SUM + 3001.5),
        step=0.002,
        first_total=OLD + 3000.0,
        handover=handover,
        was_read=lambda time: False,
    )
    assert plan.rows[0].sum == pytest.approx(SUM + 1 - 100 / HOUR)
    (correction,) = plan.corrections
    assert correction.start == HOUR
    assert correction.energy == pytest.approx(-3000.0)


def test_a_replacement_survives_a_restart() -> None:
    """What is known of it is kept in the entry; the first totals that are known stay."""
    said = Replacement(time=1000.0, seen=900.0, last={"import_energy": OLD})
    assert said.handover("import_energy") is None
    known = said.with_first(950.0, {"import_energy": 20.0}).read_at(1001.0)
    assert known == Replacement.from_dict(json.loads(json.dumps(known.as_dict())))
    assert known.handover("import_energy") == Handover(950.0, 1001.0, OLD, 20.0)
    again = known.with_first(950.0, {"import_energy": 30.0, "export_energy": 1.0})
    assert again.first == {"import_energy": 20.0, "export_energy": 1.0}
    assert known.handover("export_energy") is None


def test_earlier_replacements_are_kept_while_their_sums_are_looked_at() -> None:
    """One that was never read leaves no rows, so it is passed over."""
    first = Replacement(time=1000.0, since=1000.0).with_first(
        900.0, {"import_energy": 1}
    )
    unread = Replacement(time=2000.0).after(first, 0.0)
    latest = Replacement(time=3000.0, since=3000.0).after(unread, 0.0)
    latest = latest.with_first(2900.0, {"import_energy": 7.0})
    assert latest == Replacement.from_dict(json.loads(json.dumps(latest.as_dict())))
    handover = latest.handover("import_energy")
    assert handover is not None
    assert handover.before == first.handover("import_energy")
    assert Replacement(time=4000.0).after(latest, 3500.0).before is None
    kept = Replacement(time=4000.0).after(latest, 2500.0)
    assert kept.before == replace(latest, before=None)


def test_hour_in_which_a_meter_came_is_filled_after_one_without_it() -> None:
    """The hours before were used when its journal was read first; that one had not ended."""
    timeline = EnergyTimeline((0.98 * HOUR, (0,) * 8), 59, is_continued=True)
    assert hours_left(timeline, 1.01 * HOUR, 3.5 * HOUR) == range(HOUR, 3 * HOUR, HOUR)
    assert hours_left(timeline, 0.98 * HOUR, 3.5 * HOUR) == range(HOUR, 3 * HOUR, HOUR)
    begun = EnergyTimeline((0.98 * HOUR, (0,) * 8), 59)
    assert hours_left(begun, 0.98 * HOUR, 1.5 * HOUR) == range(0, HOUR, HOUR)

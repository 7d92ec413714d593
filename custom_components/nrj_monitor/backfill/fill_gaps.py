"""Fills missed hours of the recorder's statistics from a meter's energy timeline."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from math import ceil
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..catalog import CHANNELS
from ..const import DOMAIN
from .journal import COUNTERS, FREQUENCY, POWERS, VOLTAGES, Summary
from .plan import (
    HOUR,
    NO_RECORDS,
    MeanRow,
    SumRow,
    hours_between,
    plan_means,
    plan_sums,
)
from .replacement import Handover, Replacement
from .running_sum import has_begun_anew, last_of_count
from .statistics import (
    Series,
    async_adjust_sums,
    async_hours_with_states,
    async_read,
    async_read_histories,
    async_wait_written,
    async_write_means,
    async_write_sums,
)
from .sum_keeper import WINDOW, async_keep_sums, handovers_of, total_units
from .timeline import REACH, EnergyEstimate, EnergyTimeline

MEASURED = (*POWERS, *VOLTAGES, FREQUENCY)

LISTED: Final = 168
"""Most hours of a sensor in an answer: those of a week."""


@dataclass(frozen=True, slots=True)
class BackfillResult:
    """Result of a backfill: hours written, or to be written after a dry run.

    `begin` and `end` are those of the timeline, s since 1970. `sums` and `means` have
    the new rows by entity id and hour, s since 1970; `unclear` the hours that were left
    alone, and why; `repaired` what hours showed that no meter measures, kWh.
    """

    begin: float | None = None
    end: float | None = None
    sums: Mapping[str, Mapping[int, SumRow]] = field(default_factory=dict)
    means: Mapping[str, Mapping[int, MeanRow]] = field(default_factory=dict)
    unclear: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    repaired: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    @property
    def hours(self) -> int:
        """Return the number of filled hours, summed over all sensors."""
        return sum(
            len(rows)
            for rows_of in (self.sums, self.means)
            for rows in rows_of.values()
        )

    def as_response(self) -> dict[str, Any]:
        """Return the result as the response of an action, times in local time.

        Of each sensor the latest `LISTED` hours of a kind are listed; `summary` has the
        number of all.
        """
        return {
            "journal_from": _text(self.begin),
            "journal_until": _text(self.end),
            "hours": self.hours,
            "summary": self._summary(),
            "energy": _listed(self.sums, lambda row: round(row.state, 6)),
            "measurements": _listed(
                self.means,
                lambda row: {
                    "mean": round(row.mean, 4),
                    "min": round(row.minimum, 4),
                    "max": round(row.maximum, 4),
                },
            ),
            "impossible": _listed(self.repaired, lambda energy: round(energy, 3)),
            "left_alone": _listed(self.unclear, lambda reason: reason),
        }

    def _summary(self) -> dict[str, Any]:
        """Return the number of hours of each sensor, filled in and left alone."""
        return {
            id_: {
                "filled_in": len(self.sums.get(id_, self.means.get(id_, ()))),
                "impossible": len(self.repaired.get(id_, ())),
                "left_alone": dict(Counter(self.unclear.get(id_, {}).values())),
            }
            for id_ in sorted({*self.sums, *self.means, *self.repaired, *self.unclear})
        }


def _listed[RowT](
    rows_of: Mapping[str, Mapping[int, RowT]], told: Callable[[RowT], Any]
) -> dict[str, Any]:
    """Return the latest hours of each sensor, as the answer lists them."""
    return {
        id_: {_text(hour): told(rows[hour]) for hour in sorted(rows)[-LISTED:]}
        for id_, rows in rows_of.items()
    }


def _text(time: float | None) -> str | None:
    if time is None:
        return None
    moment: datetime = dt_util.utc_from_timestamp(time)
    return dt_util.as_local(moment).isoformat(timespec="seconds")


async def async_backfill(
    hass: HomeAssistant,
    mac: str,
    timeline: EnergyTimeline,
    until: float,
    *,
    was_read: Callable[[float], bool] = lambda time: True,
    is_doubtful: Callable[[int], bool] = lambda hour: False,
    is_misdated: Callable[[float], bool] = lambda time: False,
    replacement: Replacement | None = None,
    missing_since: float | None = None,
    dry_run: bool = False,
) -> BackfillResult:
    """Fill missed hours up to `until`, s since 1970, from a meter's timeline.

    Before the begin of a `replacement` another meter was there.
    `was_read` returns whether the meter could be read at a time, as far as is known, and
    `is_doubtful` whether an hour's row may have been made under a wrong clock, and
    `is_misdated` whether a row of five minutes that ends at a time was.
    Hours since `missing_since` that are before the journal and have no row are told.
    With `dry_run` nothing is written. Returns once the rows are in the database.
    """
    begin, end = timeline.begin, timeline.end
    if begin is None or end is None:
        return BackfillResult()
    begin = max(begin, min(end, until) - REACH)
    if replacement is not None and replacement.begin is not None:
        begin = max(begin, replacement.begin)
    hours = hours_left(timeline, begin, min(end, until))
    if not hours:
        return BackfillResult(begin, end)
    registry = er.async_get(hass)
    ids = {
        id_: channel
        for channel in (*COUNTERS, *MEASURED)
        if (id_ := registry.async_get_entity_id("sensor", DOMAIN, f"{mac}_{channel}"))
    }
    units = {id_: CHANNELS[channel].quantity.unit or "" for id_, channel in ids.items()}
    handovers = handovers_of(hass, mac, replacement) or {}
    if not dry_run:
        # What is filled in continues the sums around it: these must be right first. They
        # can be judged only with the rows from which Home Assistant went on.
        await async_keep_sums(
            hass, total_units(hass, mac), begin - WINDOW, lambda: handovers
        )
    all_series = await async_read(hass, units, hours.start, hours.stop)
    ends: dict[str, SumRow] = {}
    firsts = {
        id_: first.value
        for id_, channel in ids.items()
        if channel in COUNTERS
        and (first := timeline.energy_at(channel, max(begin, hours.start))) is not None
    }
    if begin > hours.start:
        ends = await _read_ends(hass, all_series, begin, handovers, is_misdated)
    is_anew = any(
        has_begun_anew(row.state, firsts[id_])
        for id_, row in ends.items()
        if id_ in firsts
    )
    sums, unclear, means, corrections = {}, {}, {}, {}
    # Pages may come while it is planned.
    timeline = timeline.copy()
    for id_, series in all_series.items():
        channel = ids[id_]
        if series.metadata["has_sum"]:
            plan = await hass.async_add_executor_job(
                partial(
                    plan_sums,
                    hours,
                    series.sums,
                    partial(_energy_since, timeline, channel, begin),
                    before=series.before,
                    after=series.after,
                    handover=handovers.get(id_),
                    step=CHANNELS[channel].quantity.change.absolute,
                    ended=ends.get(id_),
                    is_anew=is_anew,
                    first_total=firsts.get(id_, 0.0),
                    was_read=was_read,
                    is_recorded=timeline.is_recorded,
                    is_doubtful=is_doubtful,
                )
            )
            if plan.rows:
                sums[id_] = plan.rows
                corrections[id_] = plan.corrections
            missing = _hours_before(series, hours, missing_since)
            if plan.unclear or missing:
                unclear[id_] = {**dict.fromkeys(missing, NO_RECORDS), **plan.unclear}
        elif rows := await _plan_means(
            hass,
            series,
            hours,
            partial(_summary_since, timeline, channel, begin),
            is_doubtful,
        ):
            means[id_] = rows
    result = BackfillResult(begin, end, sums, means, unclear)
    if result.hours and not dry_run:
        for id_, sum_rows in sums.items():
            async_adjust_sums(
                hass, all_series[id_].metadata, units[id_], corrections[id_]
            )
            await async_write_sums(hass, all_series[id_], sum_rows)
        for id_, mean_rows in means.items():
            await async_write_means(hass, all_series[id_], mean_rows)
        await async_wait_written(hass)
    return result


def hours_left(timeline: EnergyTimeline, begin: float, end: float) -> range:
    """Return the starts of the hours to fill that end after `begin`, up to `end`.

    The hour in which a continued timeline begins was filled before.
    """
    hours = hours_between(begin, end)
    if timeline.begin is None or not timeline.is_continued:
        return hours
    first = ceil(timeline.begin / HOUR) * HOUR
    return range(max(hours.start, first), hours.stop, HOUR)


async def _read_ends(
    hass: HomeAssistant,
    all_series: Mapping[str, Series],
    begin: float,
    handovers: Mapping[str, Handover],
    is_misdated: Callable[[float], bool],
) -> dict[str, SumRow]:
    """Return the last row of each total before a meter's records begin, if it is finer.

    Those are rows of five minutes, which may have more than the last hour.
    """
    totals = {
        id_: series.unit
        for id_, series in all_series.items()
        if series.metadata["has_sum"]
    }
    ends = {}
    for id_, history in (
        await async_read_histories(hass, totals, begin - WINDOW)
    ).items():
        start = all_series[id_].before_start
        point = last_of_count(
            [
                point
                for point in history.minutes
                if (start is None or point.start >= start + HOUR)
                and not is_misdated(point.end)
            ],
            begin,
            handovers.get(id_),
        )
        if point is not None:
            ends[id_] = SumRow(point.state, point.sum)
    return ends


def _energy_since(
    timeline: EnergyTimeline, channel: str, begin: float, time: float
) -> EnergyEstimate | None:
    """Return an energy total at a time, None before `begin`."""
    return None if time < begin else timeline.energy_at(channel, time)


def _summary_since(
    timeline: EnergyTimeline, channel: str, begin: float, low: float, high: float
) -> tuple[Summary, float] | None:
    """Return a measurement's summary between two times, of what is after `begin`."""
    return timeline.summary(channel, max(low, begin), high)


def _hours_before(series: Series, hours: range, since: float | None) -> range:
    """Return the hours without a row between the last row and the journal."""
    if since is None or series.before_start is None:
        return range(0)
    first = max(series.before_start + HOUR, ceil(since / HOUR) * HOUR)
    return range(first, hours.start, HOUR)


async def _plan_means(
    hass: HomeAssistant,
    series: Series,
    hours: range,
    summary: Callable[[float, float], tuple[Summary, float] | None],
    is_doubtful: Callable[[int], bool],
) -> dict[int, MeanRow]:
    flat = [
        hour for hour in hours if hour in series.means and series.means[hour].is_flat
    ]
    measured = set[int]()
    if flat:
        measured = await async_hours_with_states(
            hass, series.metadata["statistic_id"], flat[0], flat[-1] + hours.step
        )
    return await hass.async_add_executor_job(
        plan_means, hours, series.means, measured.__contains__, summary, is_doubtful
    )

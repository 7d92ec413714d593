"""Hours of the recorder's statistics: read, and written."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import batched
from typing import Final, Literal, cast

from homeassistant.components.recorder.db_schema import StatisticsShortTerm
from homeassistant.components.recorder.history import state_changes_during_period
from homeassistant.components.recorder.models import StatisticData, StatisticMetaData
from homeassistant.components.recorder.statistics import (
    STATISTIC_UNIT_TO_UNIT_CONVERTER,
    StatisticsRow,
    async_import_statistics,
    get_last_short_term_statistics,
    get_last_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

from ..energy_counters import tolerance
from .plan import HOUR, MeanRow, SumRow
from .running_sum import SumCorrection, SumPoint, SumRepair

FIVE_MINUTES: Final = 300

ROWS_AT_ONCE: Final = 500
"""Rows that are given to the recorder before others get their turn: some 10 ms."""

EARLIER = 400 * 24 * HOUR
"""Seconds before an outage in which to search for the last row before the outage."""

RECENT: Final = 40 * 24 * HOUR
"""Seconds of these that are searched first: longer than a journal is kept."""

type RowType = Literal["state", "sum", "mean", "min", "max"]

MEASUREMENT: Final[set[RowType]] = {"mean", "min", "max"}
TOTAL: Final[set[RowType]] = {"state", "sum"}

type Convert = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Series:
    """Hours of a sensor's statistics, in the unit of its channel.

    `before` is the last row of a total before these hours, which begins at
    `before_start`, s since 1970; `after` its latest row of
    five minutes, None where that is not after these hours.
    """

    metadata: StatisticMetaData
    unit: str
    sums: Mapping[int, SumRow] = field(default_factory=dict)
    means: Mapping[int, MeanRow] = field(default_factory=dict)
    before: SumRow | None = None
    before_start: int | None = None
    after: SumRow | None = None


async def async_read(
    hass: HomeAssistant, units: Mapping[str, str], begin: float, end: float
) -> dict[str, Series]:
    """Read the hours from `begin` until before `end`, s since 1970.

    `units` has the unit of each sensor's channel by entity id. Sensors without
    statistics are left out.
    """
    return await get_instance(hass).async_add_executor_job(
        _read, hass, units, begin, end
    )


def _read(
    hass: HomeAssistant, units: Mapping[str, str], begin: float, end: float
) -> dict[str, Series]:
    known = get_metadata(hass, statistic_ids=set(units))
    return {
        id_: _read_one(hass, metadata, units[id_], begin, end)
        for id_, (_, metadata) in known.items()
    }


def _read_one(
    hass: HomeAssistant,
    metadata: StatisticMetaData,
    unit: str,
    begin: float,
    end: float,
) -> Series:
    id_ = metadata["statistic_id"]
    stored = metadata["unit_of_measurement"]
    convert = _converter(stored, unit)
    read = partial(_rows, hass, id_, units=_stored_units(metadata))
    if not metadata["has_sum"]:
        rows = read(begin, end, types=MEASUREMENT)
        return Series(
            metadata,
            unit,
            means={
                int(row["start"]): MeanRow(convert(mean), convert(low), convert(high))
                for row in rows
                if (mean := row["mean"]) is not None
                and (low := row["min"]) is not None
                and (high := row["max"]) is not None
            },
        )
    rows = read(begin, end, types=TOTAL)
    earlier = read(begin - EARLIER, begin, types=TOTAL)
    latest = get_last_short_term_statistics(hass, 1, id_, False, {"state", "sum"})
    sums = {int(row["start"]): _sum_row(row, convert) for row in rows}
    before_start, before = next(
        (
            (int(raw["start"]), row)
            for raw in reversed(earlier)
            if (row := _sum_row(raw, convert))
        ),
        (None, None),
    )
    return Series(
        metadata,
        unit,
        sums={hour: row for hour, row in sums.items() if row is not None},
        before=before,
        before_start=before_start,
        after=next(
            (
                row
                for raw in latest.get(id_, ())
                if raw["start"] >= end and (row := _sum_row(raw, convert))
            ),
            None,
        ),
    )


def _stored_units(metadata: StatisticMetaData) -> dict[str, str] | None:
    """Return the unit to read rows in, so that they are not converted.

    Without one the recorder would convert to the unit a person has chosen to see.
    """
    unit = metadata["unit_of_measurement"]
    return {metadata["unit_class"]: unit} if metadata["unit_class"] and unit else None


def _rows(
    hass: HomeAssistant,
    id_: str,
    begin: float,
    end: float,
    *,
    units: dict[str, str] | None,
    types: set[RowType],
) -> list[StatisticsRow]:
    return statistics_during_period(
        hass, _time(begin), _time(end), {id_}, "hour", units, {*types}
    ).get(id_, [])


def _sum_row(row: StatisticsRow, convert: Convert) -> SumRow | None:
    state, total = row.get("state"), row.get("sum")
    if state is None or total is None:
        return None
    return SumRow(convert(state), convert(total))


def _converter(from_unit: str | None, to_unit: str | None) -> Convert:
    if from_unit == to_unit or not from_unit or not to_unit:
        return float
    converter = STATISTIC_UNIT_TO_UNIT_CONVERTER[from_unit]
    return converter.converter_factory(from_unit, to_unit)


async def async_hours_with_states(
    hass: HomeAssistant, entity_id: str, begin: float, end: float
) -> set[int]:
    """Return the hours between two times, s since 1970, with a new state of a sensor."""
    return await get_instance(hass).async_add_executor_job(
        _hours_with_states, hass, entity_id, begin, end
    )


def _hours_with_states(
    hass: HomeAssistant, entity_id: str, begin: float, end: float
) -> set[int]:
    states = state_changes_during_period(
        hass,
        _time(begin),
        _time(end),
        entity_id,
        no_attributes=True,
        include_start_time_state=False,
    )
    return {
        int(state.last_updated_timestamp // HOUR) * HOUR
        for state in states.get(entity_id, ())
        if _is_number(state.state)
    }


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class SumHistory:
    """Rows of a total around the present: hours and five minutes, in kWh.

    `earlier` is the last hour before these rows.
    """

    metadata: StatisticMetaData
    hours: tuple[SumPoint, ...]
    minutes: tuple[SumPoint, ...]
    earlier: SumPoint | None

    @property
    def points(self) -> list[SumPoint]:
        """Return the rows in the order of time, the finest of each hour.

        Where an hour was filled in, its rows of five minutes are of before: Home
        Assistant makes them from the last state it had. So are those after the hour,
        until the meter tells another total.
        """
        latest = {point.start // HOUR: point for point in self.minutes}
        filled = {
            hour.start // HOUR
            for hour in self.hours
            if (point := latest.get(hour.start // HOUR)) is None
            or abs(point.state - hour.state) > tolerance(hour.state)
        }
        points = [hour for hour in self.hours if hour.start // HOUR in filled]
        is_stale, before = False, None
        for point in self.minutes:
            hour = point.start // HOUR
            if hour in filled:
                is_stale = True
            elif before is None or not point.repeats(before):
                is_stale = False
            elif not filled.isdisjoint(range(before.start // HOUR, hour)):
                is_stale = True
            if not is_stale:
                points.append(point)
            before = point
        points.sort(key=lambda point: point.start)
        return points if self.earlier is None else [self.earlier, *points]


async def async_read_histories(
    hass: HomeAssistant, units: Mapping[str, str], begin: float
) -> dict[str, SumHistory]:
    """Read the rows of totals since `begin`, s since 1970.

    `units` has the unit of each sensor's channel by entity id. Sensors without sums are
    left out.
    """
    return await get_instance(hass).async_add_executor_job(
        _read_histories, hass, units, begin
    )


def _read_histories(
    hass: HomeAssistant, units: Mapping[str, str], begin: float
) -> dict[str, SumHistory]:
    known = get_metadata(hass, statistic_ids=set(units))
    return {
        id_: _read_history(hass, metadata, units[id_], begin // HOUR * HOUR)
        for id_, (_, metadata) in known.items()
        if metadata["has_sum"]
    }


def _read_history(
    hass: HomeAssistant, metadata: StatisticMetaData, unit: str, begin: float
) -> SumHistory:
    id_ = metadata["statistic_id"]
    convert = _converter(metadata["unit_of_measurement"], unit)
    units = _stored_units(metadata)

    def points(
        since: float, until: float | None, period: Literal["hour", "5minute"]
    ) -> tuple[SumPoint, ...]:
        rows = statistics_during_period(
            hass,
            _time(since),
            None if until is None else _time(until),
            {id_},
            period,
            units,
            {*TOTAL},
        ).get(id_, [])
        return tuple(
            SumPoint(
                int(row["start"]),
                known.state,
                known.sum,
                HOUR if period == "hour" else FIVE_MINUTES,
            )
            for row in rows
            if (known := _sum_row(row, convert)) is not None
        )

    earlier = points(begin - RECENT, begin, "hour") or points(
        begin - EARLIER, begin - RECENT, "hour"
    )
    return SumHistory(
        metadata,
        points(begin, None, "hour"),
        points(begin, None, "5minute"),
        earlier[-1] if earlier else None,
    )


async def async_lost_sums(
    hass: HomeAssistant, ids: Collection[str]
) -> dict[str, tuple[StatisticMetaData, SumPoint]]:
    """Return the last hour of each total whose rows of five minutes were all purged.

    State and sum are in the unit of the statistics.
    """
    return await get_instance(hass).async_add_executor_job(_lost_sums, hass, ids)


def _lost_sums(
    hass: HomeAssistant, ids: Collection[str]
) -> dict[str, tuple[StatisticMetaData, SumPoint]]:
    types: set[Literal["last_reset", "max", "mean", "min", "state", "sum"]]
    types = {"state", "sum"}
    lost = {}
    for id_, (_, metadata) in get_metadata(hass, statistic_ids=set(ids)).items():
        if not metadata["has_sum"] or get_last_short_term_statistics(
            hass, 1, id_, False, types
        ):
            continue
        for row in get_last_statistics(hass, 1, id_, False, types).get(id_, ()):
            if (known := _sum_row(row, float)) is not None:
                start = int(row["start"])
                lost[id_] = metadata, SumPoint(start, known.state, known.sum)
    return lost


@callback
def async_restore_sum(
    hass: HomeAssistant, metadata: StatisticMetaData, hour: SumPoint
) -> None:
    """Write the last five minutes of an hour, from which the sum is continued."""
    get_instance(hass).async_import_statistics(
        metadata,
        [
            StatisticData(
                start=_time(hour.start + HOUR - FIVE_MINUTES),
                state=hour.state,
                sum=hour.sum,
            )
        ],
        StatisticsShortTerm,
    )


@callback
def async_adjust_sums(
    hass: HomeAssistant,
    metadata: StatisticMetaData,
    unit: str,
    corrections: Iterable[SumCorrection],
) -> None:
    """Adjust the sums of a total from each correction on; `unit` is its channel's."""
    convert = _converter(unit, metadata["unit_of_measurement"])
    for correction in corrections:
        get_instance(hass).async_adjust_statistics(
            metadata["statistic_id"],
            _time(correction.start),
            convert(correction.energy),
            # None for a mere number, which the recorder does not convert.
            cast("str", metadata["unit_of_measurement"]),
        )


async def async_import_rows(
    hass: HomeAssistant, metadata: StatisticMetaData, rows: Iterable[StatisticData]
) -> None:
    """Import rows of statistics, some at a time: the recorder looks at each at once."""
    for some in batched(rows, ROWS_AT_ONCE, strict=False):
        async_import_statistics(hass, metadata, some)
        await asyncio.sleep(0)


async def async_correct_sums(
    hass: HomeAssistant,
    history: SumHistory,
    unit: str,
    corrections: Sequence[SumCorrection],
) -> None:
    """Adjust the sums of a total from each correction on.

    Hours that were not made from the rows of five minutes keep their own sums.
    """
    metadata = history.metadata
    convert = _converter(unit, metadata["unit_of_measurement"])
    async_adjust_sums(hass, metadata, unit, corrections)
    first = min(correction.start for correction in corrections) // HOUR * HOUR
    last_of_hour = {point.start // HOUR: point for point in history.minutes}
    own = [
        StatisticData(
            start=_time(hour.start), state=convert(hour.state), sum=convert(hour.sum)
        )
        for hour in history.hours
        if hour.start >= first
        and (latest := last_of_hour.get(hour.start // HOUR)) is not None
        and abs(latest.offset - hour.offset) > tolerance(hour.state)
    ]
    await async_import_rows(hass, metadata, own)


async def async_repair_sums(
    hass: HomeAssistant, history: SumHistory, unit: str, repair: SumRepair
) -> None:
    """Write the repaired hours of a total, and adjust the rows after them."""
    metadata = history.metadata
    convert = _converter(unit, metadata["unit_of_measurement"])
    if (tail := repair.tail) is not None:
        # Within the hour of the wrong value the rows before it are right.
        previous = max(
            (hour for hour in history.hours if hour.start < tail.start),
            key=lambda hour: hour.start,
            default=history.earlier,
        )
        start = next(
            (
                point.start
                for point in history.minutes
                if point.start >= tail.start
                and previous is not None
                and abs(point.sum - previous.sum) > abs(tail.energy) / 2
            ),
            tail.start,
        )
        async_adjust_sums(hass, metadata, unit, [SumCorrection(start, tail.energy)])
    await async_import_rows(
        hass,
        metadata,
        (
            StatisticData(
                start=_time(hour.start),
                state=convert(hour.state),
                sum=convert(hour.sum),
            )
            for hour in repair.hours
        ),
    )


async def async_write_sums(
    hass: HomeAssistant, series: Series, rows: Mapping[int, SumRow]
) -> None:
    """Import hours of an energy total into the statistics."""
    await _async_write(
        hass,
        series,
        rows,
        lambda start, row, convert: StatisticData(
            start=start, state=convert(row.state), sum=convert(row.sum)
        ),
    )


async def async_write_means(
    hass: HomeAssistant, series: Series, rows: Mapping[int, MeanRow]
) -> None:
    """Import hours of a measurement into the statistics."""
    await _async_write(
        hass,
        series,
        rows,
        lambda start, row, convert: StatisticData(
            start=start,
            mean=convert(row.mean),
            min=convert(row.minimum),
            max=convert(row.maximum),
        ),
    )


async def _async_write[RowT](
    hass: HomeAssistant,
    series: Series,
    rows: Mapping[int, RowT],
    statistic: Callable[[datetime, RowT, Convert], StatisticData],
) -> None:
    convert = _converter(series.unit, series.metadata["unit_of_measurement"])
    await async_import_rows(
        hass,
        series.metadata,
        (statistic(_time(hour), row, convert) for hour, row in sorted(rows.items())),
    )


async def async_wait_written(hass: HomeAssistant) -> None:
    """Wait until imported rows are in the database.

    The recorder's own waiting ends at once while the recorder runs its last task.
    """
    done = hass.loop.create_future()
    get_instance(hass).queue_task(SynchronizeTask(done))
    await done


def _time(seconds: float) -> datetime:
    return dt_util.utc_from_timestamp(seconds)

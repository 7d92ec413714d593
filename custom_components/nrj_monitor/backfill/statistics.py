"""Hours of the recorder's statistics: read, and written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, Literal

from homeassistant.components.recorder.history import state_changes_during_period
from homeassistant.components.recorder.models import StatisticData, StatisticMetaData
from homeassistant.components.recorder.statistics import (
    STATISTIC_UNIT_TO_UNIT_CONVERTER,
    StatisticsRow,
    async_import_statistics,
    get_last_short_term_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

from .plan import HOUR, MeanRow, SumRow

EARLIER = 400 * 24 * HOUR
"""Seconds before an outage in which to search for the last row before the outage."""

type RowType = Literal["state", "sum", "mean", "min", "max"]

MEASUREMENT: Final[set[RowType]] = {"mean", "min", "max"}
TOTAL: Final[set[RowType]] = {"state", "sum"}

type Convert = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Series:
    """Hours of a sensor's statistics, in the unit of its channel.

    `before` is the last row of a total before these hours; `latest` its latest row of
    five minutes, which continues where the hours end.
    """

    metadata: StatisticMetaData
    unit: str
    sums: Mapping[int, SumRow] = field(default_factory=dict)
    means: Mapping[int, MeanRow] = field(default_factory=dict)
    before: SumRow | None = None
    latest: SumRow | None = None


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
    # Without a unit the recorder would convert to the one a person has chosen to see.
    units = (
        {metadata["unit_class"]: stored} if metadata["unit_class"] and stored else None
    )
    read = partial(_rows, hass, id_, units=units)
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
    return Series(
        metadata,
        unit,
        sums={hour: row for hour, row in sums.items() if row is not None},
        before=next(
            (row for raw in reversed(earlier) if (row := _sum_row(raw, convert))), None
        ),
        latest=next(
            (row for raw in latest.get(id_, ()) if (row := _sum_row(raw, convert))),
            None,
        ),
    )


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
    if from_unit == to_unit:
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


@callback
def async_write_sums(
    hass: HomeAssistant, series: Series, rows: Mapping[int, SumRow]
) -> None:
    """Import hours of an energy total into the statistics."""
    _write(
        hass,
        series,
        rows,
        lambda start, row, convert: StatisticData(
            start=start, state=convert(row.state), sum=convert(row.sum)
        ),
    )


@callback
def async_write_means(
    hass: HomeAssistant, series: Series, rows: Mapping[int, MeanRow]
) -> None:
    """Import hours of a measurement into the statistics."""
    _write(
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


def _write[RowT](
    hass: HomeAssistant,
    series: Series,
    rows: Mapping[int, RowT],
    statistic: Callable[[datetime, RowT, Convert], StatisticData],
) -> None:
    convert = _converter(series.unit, series.metadata["unit_of_measurement"])
    async_import_statistics(
        hass,
        series.metadata,
        [statistic(_time(hour), row, convert) for hour, row in sorted(rows.items())],
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

"""Hourly statistics in a real recorder: written and read by the hour since `START`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypedDict, cast

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_import_statistics,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

from custom_components.nrj_monitor.backfill.plan import HOUR
from custom_components.nrj_monitor.backfill.statistics import async_wait_written
from custom_components.nrj_monitor.const import DOMAIN

MAC = "02:4e:52:4a:00:07"
START = int(dt_util.utcnow().timestamp() // HOUR - 12) * HOUR
"""Full hour twelve hours ago, s since 1970; the meter then showed 100 kWh."""


class Row(TypedDict, total=False):
    """Values of an hour."""

    state: float
    sum: float
    mean: float
    min: float
    max: float


def add_sensor(hass: HomeAssistant, channel: str) -> str:
    """Register the sensor of a channel; return the entity id."""
    return (
        er.async_get(hass)
        .async_get_or_create("sensor", DOMAIN, f"{MAC}_{channel}")
        .entity_id
    )


def metadata(
    id_: str, unit: str, unit_class: str, *, has_sum: bool
) -> StatisticMetaData:
    """Return the metadata of a sensor's statistics."""
    return {
        "mean_type": StatisticMeanType.NONE
        if has_sum
        else StatisticMeanType.ARITHMETIC,
        "has_sum": has_sum,
        "name": None,
        "source": "recorder",
        "statistic_id": id_,
        "unit_class": unit_class,
        "unit_of_measurement": unit,
    }


async def record_hours(
    hass: HomeAssistant,
    sensor: StatisticMetaData,
    hours: Mapping[int, Row],
) -> None:
    """Import hours into the statistics, counted from `START`."""
    async_import_statistics(
        hass,
        sensor,
        [
            cast(
                "StatisticData",
                {"start": dt_util.utc_from_timestamp(START + hour * HOUR), **row},
            )
            for hour, row in hours.items()
        ],
    )
    await async_wait_written(hass)


async def hours_of(hass: HomeAssistant, id_: str) -> dict[int, Mapping[str, Any]]:
    """Return the hours of a sensor's statistics, counted from `START`."""
    rows = await get_instance(hass).async_add_executor_job(
        lambda: statistics_during_period(
            hass,
            dt_util.utc_from_timestamp(START) - timedelta(days=60),
            None,
            {id_},
            "hour",
            None,
            {"state", "sum", "mean", "min", "max"},
        )
    )
    return {int(row["start"] - START) // HOUR: row for row in rows.get(id_, [])}

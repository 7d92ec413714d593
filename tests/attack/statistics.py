"""Check of the recorder's statistics after an attack."""

from datetime import timedelta
from math import isfinite

from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

from custom_components.nrj_monitor.backfill.statistics import async_wait_written
from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.reading_gate import is_possible


async def check_statistics(hass: HomeAssistant) -> int:
    """Check that no statistic is outside of its range; return how many rows there are."""
    await async_wait_written(hass)
    channels = {
        entity.entity_id: CHANNELS[entity.unique_id.partition("_")[2]]
        for entity in er.async_get(hass).entities.values()
        if entity.platform == DOMAIN and entity.unique_id.partition("_")[2] in CHANNELS
    }
    rows_of = await get_instance(hass).async_add_executor_job(
        lambda: statistics_during_period(
            hass,
            dt_util.utcnow() - timedelta(days=100 * 365 // 2),
            None,
            set(channels),
            "hour",
            None,
            {"state", "sum", "mean", "min", "max"},
        )
    )
    for id_, rows in rows_of.items():
        for row in rows:
            for key in ("state", "mean", "min", "max"):
                value = row.get(key)
                assert value is None or is_possible(channels[id_], float(value)), row  # type: ignore[arg-type]
            total = row.get("sum")
            assert total is None or isfinite(total), row
    return sum(map(len, rows_of.values()))

"""Limits of a house: its main fuse and its contract."""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import UnitOfPower
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import PowerConverter

from ..const import (
    CONF_CONTRACT,
    CONF_CONTRACT_TOLERANCE,
    CONF_MAIN_FUSE,
    DEFAULT_CONTRACT_TOLERANCE,
    DOMAIN,
)
from ..control.demand import DemandAccount
from ..control.demand_limit import DemandMonitor
from ..control.limit_monitor import LimitMonitor
from ..control.overload import CURVES, OverloadMonitor
from ..control.supply import PHASES, Supply
from ..demand.options import demand_limit, interval_of

NOMINAL_VOLTAGE = 230.0
"""V, by which the rated current of a main fuse becomes a power."""


def main_fuse_of(hass: HomeAssistant, entity_id: str) -> float | None:
    """Return the rated current of the main fuse of an entity's meter, A; None if unknown."""
    entity = er.async_get(hass).async_get(entity_id)
    if entity is None or entity.config_entry_id is None:
        return None
    entry = hass.config_entries.async_get_entry(entity.config_entry_id)
    if entry is None or entry.domain != DOMAIN:
        return None
    fuse = entry.options.get(CONF_MAIN_FUSE)
    return None if fuse is None else float(fuse)


def overload_monitors(
    options: Mapping[str, Any], account: DemandAccount | None = None
) -> dict[Supply, LimitMonitor]:
    """Return monitors for the limits in the options of a meter.

    `account` counts the intervals of a contract that bills their mean; without it the
    monitor has one of its own.
    """
    monitors: dict[Supply, LimitMonitor] = {}
    if (fuse := options.get(CONF_MAIN_FUSE)) is not None:
        for phase in PHASES:
            monitors[phase] = OverloadMonitor(
                float(fuse) * NOMINAL_VOLTAGE, CURVES["breaker"]
            )
    if (interval := interval_of(options)) is not None:
        if (limit := demand_limit(options)) is not None:
            if account is None:
                zone = dt_util.get_default_time_zone()
                account = DemandAccount(interval, zone)
            monitors[Supply.TOTAL] = DemandMonitor(account, limit)
    elif (contract := options.get(CONF_CONTRACT)) is not None:
        tolerance = options.get(CONF_CONTRACT_TOLERANCE, DEFAULT_CONTRACT_TOLERANCE)
        power = PowerConverter.convert(
            float(contract), UnitOfPower.KILO_WATT, UnitOfPower.WATT
        )
        monitors[Supply.TOTAL] = OverloadMonitor(power, CURVES[tolerance])
    return monitors

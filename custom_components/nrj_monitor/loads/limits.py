"""Limits of a house: its main fuse and its contract."""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import UnitOfPower
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util.unit_conversion import PowerConverter

from ..const import (
    CONF_CONTRACT,
    CONF_CONTRACT_TOLERANCE,
    CONF_MAIN_FUSE,
    DEFAULT_CONTRACT_TOLERANCE,
    DOMAIN,
)
from ..control.overload import CURVES, OverloadMonitor
from ..control.supply import PHASES, Supply

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


def overload_monitors(options: Mapping[str, Any]) -> dict[Supply, OverloadMonitor]:
    """Return monitors for the limits in the options of a meter."""
    monitors: dict[Supply, OverloadMonitor] = {}
    if (fuse := options.get(CONF_MAIN_FUSE)) is not None:
        for phase in PHASES:
            monitors[phase] = OverloadMonitor(
                float(fuse) * NOMINAL_VOLTAGE, CURVES["breaker"]
            )
    if (contract := options.get(CONF_CONTRACT)) is not None:
        tolerance = options.get(CONF_CONTRACT_TOLERANCE, DEFAULT_CONTRACT_TOLERANCE)
        limit = PowerConverter.convert(
            float(contract), UnitOfPower.KILO_WATT, UnitOfPower.WATT
        )
        monitors[Supply.TOTAL] = OverloadMonitor(limit, CURVES[tolerance])
    return monitors

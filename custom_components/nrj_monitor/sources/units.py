"""Units of other integrations' entities, remembered where a state does not tell its own."""

from math import isfinite
from typing import Final

from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    UnitOfPower,
)
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.singleton import singleton
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.unit_conversion import PowerConverter

from ..const import DOMAIN

_KNOWN: Final[HassKey[dict[str, str]]] = HassKey(f"{DOMAIN}_units")


@callback
@singleton(_KNOWN)
def _known_units(hass: HomeAssistant) -> dict[str, str]:
    """Return the last known units by entity id."""
    return {}


@callback
def async_unit_of(hass: HomeAssistant, state: State) -> str | None:
    """Return the unit of a state, or the last known of its entity where it has none."""
    known = _known_units(hass)
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if isinstance(unit, str):
        known[state.entity_id] = unit
        return unit
    if state.entity_id in known:
        return known[state.entity_id]
    entity = er.async_get(hass).async_get(state.entity_id)
    return None if entity is None else entity.unit_of_measurement


@callback
def async_watts(hass: HomeAssistant, entity_id: str | None) -> float | None:
    """Return the state of a power sensor in W, None without a number.

    A power whose unit was never told is in W.
    """
    state = hass.states.get(entity_id) if entity_id else None
    if state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        return None
    unit = async_unit_of(hass, state)
    try:
        power = float(state.state)
    except ValueError:
        return None
    if not isfinite(power):
        return None
    if unit not in PowerConverter.VALID_UNITS:
        return power
    return PowerConverter.convert(power, unit, UnitOfPower.WATT)

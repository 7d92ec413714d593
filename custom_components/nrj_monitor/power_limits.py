"""Compares readings with limits, whatever their sensors' unit."""

from math import nan

from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import State

FACTORS = {"mW": 1e-3, "kW": 1e3, "MW": 1e6, "mA": 1e-3}
"""To W and A."""


def reading(state: State) -> float:
    """Return a reading in W or A, NaN where it is none."""
    try:
        value = float(state.state)
    except ValueError:
        return nan
    return value * FACTORS.get(str(state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)), 1.0)


def above(state: State, limit: float) -> bool:
    """Return whether a reading is above a limit in W or A."""
    return reading(state) > limit


def below(state: State, limit: float) -> bool:
    """Return whether a reading is below a limit in W or A."""
    return reading(state) < limit

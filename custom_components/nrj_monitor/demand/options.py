"""Options of a contract that bills the mean of an interval."""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import UnitOfPower
from homeassistant.util.unit_conversion import PowerConverter

from ..const import (
    CONF_CONTRACT,
    CONF_CONTRACT_TOLERANCE,
    CONF_FOLLOWS_PEAK,
    CONF_PEAK_FLOOR,
    DEFAULT_CONTRACT_TOLERANCE,
)
from ..control.demand import INTERVALS
from ..control.demand_limit import FLOOR, DemandLimit


def interval_of(options: Mapping[str, Any]) -> float | None:
    """Return the interval whose mean the contract bills, s; None for another contract."""
    tolerance = options.get(CONF_CONTRACT_TOLERANCE, DEFAULT_CONTRACT_TOLERANCE)
    return INTERVALS.get(tolerance)


def demand_limit(options: Mapping[str, Any]) -> DemandLimit | None:
    """Return the limit for the mean, None where there is none to keep."""
    contract = _watts(options.get(CONF_CONTRACT))
    floor = _watts(options.get(CONF_PEAK_FLOOR))
    follows_peak = bool(options.get(CONF_FOLLOWS_PEAK, False))
    if interval_of(options) is None or (contract is None and not follows_peak):
        return None
    return DemandLimit(
        power=contract,
        follows_peak=follows_peak,
        floor=FLOOR if floor is None else floor,
    )


def _watts(kilowatts: float | None) -> float | None:
    if kilowatts is None:
        return None
    return PowerConverter.convert(
        float(kilowatts), UnitOfPower.KILO_WATT, UnitOfPower.WATT
    )

"""Voltages and currents beyond the range of the meter's chip: pure rules.

The chip cuts off the crest of what is beyond its range, so rms, power and energy are
too low. The firmware tells it in a text sensor, like
`current:L1=104.2/105.6;voltage:L2=720.4/707.4`: behind each input stand the highest
rms so far and the rms of the greatest sine that fits, in A or V.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
import re
from typing import Final, Literal

from homeassistant.const import (
    UnitOfApparentPower,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfReactiveEnergy,
    UnitOfReactivePower,
)

from .catalog import Channel, Phase, Quantity

OVER_RANGE: Final = "over_range"
"""Object id of the firmware's text sensor, and attribute of a marked sensor."""

NONE: Final = "none"
"""Text the meter sends while everything is within range."""

MAX_LENGTH: Final = 255
"""Longest text that the firmware sends, in characters."""

_NUMBER: Final = r"\d{1,7}(?:\.\d{1,6})?(?:e\+\d{1,2})?"
_EXCURSION: Final = re.compile(
    rf"(voltage|current):(L[123])=({_NUMBER})/({_NUMBER})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Excursion:
    """A voltage or current of a phase beyond the meter's range."""

    quantity: Literal["voltage", "current"]
    phase: Phase
    rms: float
    """Highest rms measured, V or A: the truth is more."""
    full_scale: float
    """The rms of the greatest sine within range, V or A."""


def parse_over_range(text: str | None) -> tuple[Excursion, ...]:
    """Return what the meter tells to be beyond its range; nothing from a damaged text."""
    if not text or text == NONE or len(text) > MAX_LENGTH:
        return ()
    excursions = []
    for part in text.split(";"):
        match = _EXCURSION.fullmatch(part)
        if match is None:
            return ()
        rms, full_scale = float(match[3]), float(match[4])
        if not (isfinite(rms) and isfinite(full_scale) and full_scale > 0):
            return ()
        quantity: Literal["voltage", "current"] = (
            "voltage" if match[1] == "voltage" else "current"
        )
        excursions.append(Excursion(quantity, Phase(match[2]), rms, full_scale))
    return tuple(excursions)


_BOTH: Final = frozenset({"voltage", "current"})
_PRODUCTS: Final = frozenset(
    {
        UnitOfPower.WATT,
        UnitOfReactivePower.VOLT_AMPERE_REACTIVE,
        UnitOfApparentPower.VOLT_AMPERE,
        UnitOfEnergy.KILO_WATT_HOUR,
        UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR,
        "kVAh",
    }
)
_UNTOUCHED: Final = frozenset({"neutral_current"})
"""Quantities of inputs that are not watched."""


def inputs_of(quantity: Quantity) -> frozenset[str]:
    """Return the inputs, voltage and current, whose cut crest falsifies a quantity."""
    if quantity.unit in _PRODUCTS or quantity.key == "power_factor":
        return _BOTH
    if quantity.key in _UNTOUCHED:
        return frozenset()
    if quantity.unit == UnitOfElectricPotential.VOLT:
        return frozenset({"voltage"})
    if quantity.unit == UnitOfElectricCurrent.AMPERE:
        return frozenset({"current"})
    if quantity.unit == "%":
        return frozenset({quantity.key.partition("_")[0]}) & _BOTH
    return frozenset()


def falsifies(excursions: Iterable[Excursion], channel: Channel) -> bool:
    """Return whether readings of `channel` are wrong because of what is beyond range."""
    inputs = inputs_of(channel.quantity)
    return any(
        excursion.quantity in inputs and channel.phase in (None, excursion.phase)
        for excursion in excursions
    )

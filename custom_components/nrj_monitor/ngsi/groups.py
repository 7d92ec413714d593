"""Groups of quantities: the choice of quantities to forward."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final

from homeassistant.const import (
    UnitOfApparentPower,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfReactivePower,
)

from ..catalog import Channel, Quantity


class Group(StrEnum):
    """Group of quantities; the values are stored in the subentry."""

    VOLTAGE_CURRENT = "voltage_current"
    POWER = "power"
    ENERGY = "energy"
    FREQUENCY = "frequency"
    POWER_QUALITY = "power_quality"
    HARMONICS = "harmonics"
    DIAGNOSTICS = "diagnostics"


DEFAULT_GROUPS: Final = (
    Group.VOLTAGE_CURRENT,
    Group.POWER,
    Group.ENERGY,
    Group.FREQUENCY,
    Group.POWER_QUALITY,
)

_BY_UNIT: Final[dict[str | None, Group]] = {
    UnitOfElectricPotential.VOLT: Group.VOLTAGE_CURRENT,
    UnitOfElectricCurrent.AMPERE: Group.VOLTAGE_CURRENT,
    UnitOfPower.WATT: Group.POWER,
    UnitOfReactivePower.VOLT_AMPERE_REACTIVE: Group.POWER,
    UnitOfApparentPower.VOLT_AMPERE: Group.POWER,
    UnitOfFrequency.HERTZ: Group.FREQUENCY,
}

_WITH_POWER_QUALITY: Final = ("_half_cycle", "_10_12_cycles", "_peak")
"""Endings of the keys of voltages and currents of other averaging windows."""


def group_of(quantity: Quantity) -> Group:
    """Return the group of a quantity."""
    if quantity.diagnostic:
        return Group.DIAGNOSTICS
    if quantity.order is not None:
        return Group.HARMONICS
    if "energy" in quantity.key:
        return Group.ENERGY
    if quantity.key.endswith(_WITH_POWER_QUALITY):
        return Group.POWER_QUALITY
    if quantity.key == "power_factor":
        return Group.POWER
    if quantity.key.startswith("voltage_angle_"):
        # The voltage between two phases needs the angle.
        return Group.VOLTAGE_CURRENT
    return _BY_UNIT.get(quantity.unit, Group.POWER_QUALITY)


def select_channels(
    channels: Iterable[Channel], groups: Collection[str]
) -> tuple[Channel, ...]:
    """Return the `channels` of the quantities in `groups`."""
    return tuple(c for c in channels if group_of(c.quantity) in groups)

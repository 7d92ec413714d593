"""Settings of loads, stored as a config subentry each."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry

from ..control.load import Load, LoadClass, LoadError, WhenLost
from ..control.supply import Supply
from ..entry_data import NrjConfigEntry

SUBENTRY_LOAD: Final = "load"
"""Type of the subentries that are loads."""

CONF_ENTITY: Final = "entity"
CONF_SCRIPT_ON: Final = "script_on"
CONF_SCRIPT_OFF: Final = "script_off"
CONF_VALUE_ON: Final = "value_on"
CONF_VALUE_OFF: Final = "value_off"
CONF_VALUE_LEAST: Final = "value_least"
CONF_VALUE_STEP: Final = "value_step"
CONF_OPTION_ON: Final = "option_on"
CONF_OPTION_OFF: Final = "option_off"
CONF_POWER_SENSOR: Final = "power_sensor"
CONF_POWER: Final = "power"
CONF_PHASE: Final = "phase"
CONF_CLASS: Final = "class"
CONF_PRIORITY: Final = "priority"
CONF_MINIMUM_ON: Final = "minimum_on"
CONF_MINIMUM_OFF: Final = "minimum_off"
CONF_LONGEST_OFF: Final = "longest_off"
CONF_RECOVERY: Final = "recovery"
CONF_WHEN_LOST: Final = "when_lost"
CONF_SAFETY_ENTITY: Final = "safety_entity"
"""Powers in W, minimum times in s, comfort limits in min as a person says them."""

ENTITY_FIELDS: Final = (
    CONF_ENTITY,
    CONF_SCRIPT_ON,
    CONF_SCRIPT_OFF,
    CONF_POWER_SENSOR,
    CONF_SAFETY_ENTITY,
)
"""Fields that name an entity."""

ALL_PHASES: Final = "all"
PHASES: Final = (ALL_PHASES, "l1", "l2", "l3")
MINUTE: Final = 60.0

SAFETY_CLASSES: Final = (
    "safety",
    "problem",
    "heat",
    "smoke",
    "gas",
    "carbon_monoxide",
    "moisture",
    "tamper",
)
"""Device classes of binary sensors for a safety cut-off."""

NUMBERS: Final = ("number", "input_number")
"""Domains of adjustable loads."""

CHOICES: Final = ("select", "input_select")
"""Domains of loads of which one option is on, and another off."""

FIELDS: Final = {
    "least_power": CONF_VALUE_LEAST,
    "priority": CONF_PRIORITY,
    "nominal_power": CONF_POWER,
    "minimum_on": CONF_MINIMUM_ON,
    "minimum_off": CONF_MINIMUM_OFF,
    "longest_off": CONF_LONGEST_OFF,
    "recovery": CONF_RECOVERY,
    "when_lost": CONF_WHEN_LOST,
}
"""Form fields of the load model's fields, to place an error."""


def load_of(load_id: str, data: Mapping[str, Any]) -> Load:
    """Return the load of a subentry's data.

    Raises:
        LoadError: it contradicts itself.
    """
    phase = data.get(CONF_PHASE, ALL_PHASES)
    longest_off = data.get(CONF_LONGEST_OFF)
    least_power, power_step = _levels(data)
    return Load(
        id=load_id,
        load_class=LoadClass(data[CONF_CLASS]),
        priority=int(data.get(CONF_PRIORITY, 50)),
        phase=Supply.TOTAL if phase == ALL_PHASES else Supply(phase.upper()),
        nominal_power=float(data.get(CONF_POWER, 0.0)),
        minimum_on=float(data.get(CONF_MINIMUM_ON, 60.0)),
        minimum_off=float(data.get(CONF_MINIMUM_OFF, 180.0)),
        longest_off=None if longest_off is None else float(longest_off) * MINUTE,
        recovery=float(data.get(CONF_RECOVERY, 15.0)) * MINUTE,
        when_lost=WhenLost(data.get(CONF_WHEN_LOST, WhenLost.HOLD)),
        least_power=least_power,
        power_step=power_step,
    )


def contradiction_of(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the form field and error key of settings that contradict each other."""
    never_shed = data[CONF_CLASS] == LoadClass.NEVER_SHED.value
    if never_shed and data.get(CONF_SAFETY_ENTITY) is not None:
        return CONF_SAFETY_ENTITY, "never_shed_safety"
    try:
        load_of("", data)
    except LoadError as error:
        return FIELDS.get(error.field, "base"), error.key
    return None


def _levels(data: Mapping[str, Any]) -> tuple[float | None, float]:
    """Return the least power and the power step of an adjustable load, W."""
    domain = data.get(CONF_ENTITY, "").partition(".")[0]
    power = float(data.get(CONF_POWER, 0.0))
    least = data.get(CONF_VALUE_LEAST)
    on_surplus = data[CONF_CLASS] == LoadClass.SURPLUS
    if domain not in NUMBERS or power <= 0 or (least is None and not on_surplus):
        return None, 0.0
    on, off = float(data[CONF_VALUE_ON]), float(data[CONF_VALUE_OFF])
    step = power * float(data.get(CONF_VALUE_STEP, 1.0)) / abs(on - off)
    if least is None:
        return min(step, power), step
    return power * (float(least) - off) / (on - off), step


def load_entries(entry: NrjConfigEntry) -> list[ConfigSubentry]:
    """Return the load subentries of a meter's entry."""
    return [
        subentry
        for subentry in entry.subentries.values()
        if subentry.subentry_type == SUBENTRY_LOAD
    ]

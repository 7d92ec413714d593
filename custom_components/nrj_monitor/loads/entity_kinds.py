"""Kinds of entities that can be a load: what on and off are, and the actions to switch them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from homeassistant.components.climate.const import (
    ATTR_HVAC_MODE,
    ATTR_HVAC_MODES,
    HVACMode,
)
from homeassistant.components.number import ATTR_VALUE
from homeassistant.components.valve.const import (
    ATTR_POSITION,
    ValveEntityFeature,
    ValveState,
)
from homeassistant.components.water_heater import ATTR_OPERATION_LIST
from homeassistant.components.water_heater.const import (
    ATTR_OPERATION_MODE,
    SERVICE_SET_OPERATION_MODE,
    WaterHeaterEntityFeature,
)
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_OPTION,
    ATTR_SUPPORTED_FEATURES,
    SERVICE_CLOSE_VALVE,
    SERVICE_OPEN_VALVE,
    SERVICE_SELECT_OPTION,
    SERVICE_SET_VALVE_POSITION,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
)
from homeassistant.core import State

from .settings import (
    CONF_OPTION_OFF,
    CONF_OPTION_ON,
    CONF_SCRIPT_OFF,
    CONF_SCRIPT_ON,
    CONF_VALUE_OFF,
    CONF_VALUE_ON,
)

SERVICE_SET_HVAC_MODE: Final = "set_hvac_mode"
SERVICE_SET_VALUE: Final = "set_value"

type Action = tuple[str, dict[str, Any]]
"""Name of an action of the entity's domain, and its data but for the entity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switching:
    """What the action to switch a load depends on.

    `state` is the present state of the entity, None without one; `last_on` its last state
    while on; `data` the settings of the load.
    """

    state: State | None
    last_on: str | None
    data: Mapping[str, Any]

    def attribute(self, name: str) -> Any:
        """Return an attribute of the entity, None without one."""
        return None if self.state is None else self.state.attributes.get(name)

    @property
    def features(self) -> int:
        """Return the supported features of the entity."""
        return int(self.attribute(ATTR_SUPPORTED_FEATURES) or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityKind:
    """Rules of a domain: `reads_on` of a known state, and the action to go on or off."""

    reads_on: Callable[[str, Mapping[str, Any]], bool | None]
    action: Callable[[Switching, bool], Action]


def is_on_word(state: str, data: Mapping[str, Any]) -> bool:
    """Return whether the state is on."""
    return state == STATE_ON


def turn(switching: Switching, on: bool) -> Action:
    """Return the action to turn on or off."""
    return SERVICE_TURN_ON if on else SERVICE_TURN_OFF, {}


def is_mode(state: str, data: Mapping[str, Any]) -> bool:
    """Return whether the state is a mode other than off."""
    return state != STATE_OFF


def last_mode(switching: Switching, offered: str) -> str | None:
    """Return the last mode while on, or the first mode of the attribute `offered`."""
    modes = [str(mode) for mode in switching.attribute(offered) or ()]
    modes = [mode for mode in modes if mode != STATE_OFF]
    if switching.last_on in modes:
        return switching.last_on
    return modes[0] if modes else None


def set_hvac_mode(switching: Switching, on: bool) -> Action:
    """Return the action to choose the mode of a climate."""
    mode = last_mode(switching, ATTR_HVAC_MODES) if on else HVACMode.OFF
    if mode is None:
        return SERVICE_TURN_ON, {}
    return SERVICE_SET_HVAC_MODE, {ATTR_HVAC_MODE: str(mode)}


def set_operation(switching: Switching, on: bool) -> Action:
    """Return the action to choose the mode of a water heater."""
    mode = last_mode(switching, ATTR_OPERATION_LIST) if on else STATE_OFF
    if mode is None or switching.features & WaterHeaterEntityFeature.ON_OFF:
        return turn(switching, on)
    return SERVICE_SET_OPERATION_MODE, {ATTR_OPERATION_MODE: mode}


def is_open(state: str, data: Mapping[str, Any]) -> bool:
    """Return whether a valve lets through, or is about to."""
    return state in (ValveState.OPEN, ValveState.OPENING)


def move_valve(switching: Switching, on: bool) -> Action:
    """Return the action to open or close a valve, by its position where it has no other."""
    feature = ValveEntityFeature.OPEN if on else ValveEntityFeature.CLOSE
    if (
        not switching.features & feature
        and switching.features & ValveEntityFeature.SET_POSITION
    ):
        return SERVICE_SET_VALVE_POSITION, {ATTR_POSITION: 100 if on else 0}
    return SERVICE_OPEN_VALVE if on else SERVICE_CLOSE_VALVE, {}


def is_option_on(state: str, data: Mapping[str, Any]) -> bool | None:
    """Return whether the option for on is selected; None for neither of the two."""
    return {data[CONF_OPTION_ON]: True, data[CONF_OPTION_OFF]: False}.get(state)


def select_option(switching: Switching, on: bool) -> Action:
    """Return the action to select the option for on or off."""
    option = switching.data[CONF_OPTION_ON if on else CONF_OPTION_OFF]
    return SERVICE_SELECT_OPTION, {ATTR_OPTION: option}


def on_off_values(data: Mapping[str, Any]) -> tuple[float, float]:
    """Return the values of a number when on and when off."""
    return float(data[CONF_VALUE_ON]), float(data[CONF_VALUE_OFF])


def part_of(state: str, data: Mapping[str, Any]) -> float | None:
    """Return how far a number is from off (0) to on (1); None for no number."""
    on, off = on_off_values(data)
    try:
        part = (float(state) - off) / (on - off)
    except ValueError:
        return None
    return part if isfinite(part) else None


def is_number_on(state: str, data: Mapping[str, Any]) -> bool | None:
    """Return whether a number is nearer to on than to off, or anywhere between."""
    part = part_of(state, data)
    return None if part is None else part > 0.5 or 0.0 < part < 1.0


def set_number(switching: Switching, on: bool) -> Action:
    """Return the action to set a number: when on, to what it was before."""
    value_on, value = on_off_values(switching.data)
    if on:
        # A person may have set less, or more, than the usual value.
        value = _number_of(switching.last_on, value_on)
    return SERVICE_SET_VALUE, {ATTR_VALUE: value}


def _number_of(state: str | None, otherwise: float) -> float:
    """Return the number that a state says, `otherwise` where it says none."""
    try:
        value = float(state or "")
    except ValueError:
        return otherwise
    return value if isfinite(value) else otherwise


def run_script(switching: Switching, on: bool) -> Action:
    """Return the action to run the script for on or off."""
    script = switching.data[CONF_SCRIPT_ON if on else CONF_SCRIPT_OFF]
    return SERVICE_TURN_ON, {ATTR_ENTITY_ID: script}


TURNED: Final = EntityKind(reads_on=is_on_word, action=turn)
NUMBER: Final = EntityKind(reads_on=is_number_on, action=set_number)
CHOICE: Final = EntityKind(reads_on=is_option_on, action=select_option)

KINDS: Final[Mapping[str, EntityKind]] = {
    "switch": TURNED,
    "light": TURNED,
    "fan": TURNED,
    "humidifier": TURNED,
    "input_boolean": TURNED,
    "climate": EntityKind(reads_on=is_mode, action=set_hvac_mode),
    "water_heater": EntityKind(reads_on=is_mode, action=set_operation),
    "valve": EntityKind(reads_on=is_open, action=move_valve),
    "number": NUMBER,
    "input_number": NUMBER,
    "select": CHOICE,
    "input_select": CHOICE,
    "script": EntityKind(reads_on=is_on_word, action=run_script),
}
"""Kinds by domain; `script` is the kind of a pair of scripts."""

DOMAINS: Final = tuple(domain for domain in KINDS if domain != "script")
"""Domains of entities for a load; other loads are a pair of scripts."""

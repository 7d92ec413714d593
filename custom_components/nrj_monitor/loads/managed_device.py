"""A load as Home Assistant knows it: what it does now, and how it is switched."""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final

from homeassistant.components.climate.const import (
    ATTR_HVAC_MODE,
    ATTR_HVAC_MODES,
    HVACMode,
)
from homeassistant.components.number import ATTR_VALUE
from homeassistant.components.water_heater import ATTR_OPERATION_LIST
from homeassistant.components.water_heater.const import (
    ATTR_OPERATION_MODE,
    SERVICE_SET_OPERATION_MODE,
)
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_SUPPORTED_FEATURES,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import Context, HomeAssistant, State

from .settings import (
    CONF_ENTITY,
    CONF_POWER,
    CONF_POWER_SENSOR,
    CONF_SAFETY_ENTITY,
    CONF_SCRIPT_OFF,
    CONF_SCRIPT_ON,
    CONF_VALUE_OFF,
    CONF_VALUE_ON,
    NUMBERS,
)

SERVICE_SET_HVAC_MODE: Final = "set_hvac_mode"
SERVICE_SET_VALUE: Final = "set_value"

WATER_HEATER_ON_OFF: Final = 8
"""WaterHeaterEntityFeature.ON_OFF."""

TOO_OLD: Final = (None, STATE_UNAVAILABLE, STATE_UNKNOWN)

type Call = tuple[str, str, dict[str, Any]]
"""Domain, action and data."""


class ManagedDevice:
    """One load. Nothing it does is remembered but how it was on last."""

    def __init__(self, hass: HomeAssistant, data: Mapping[str, Any]) -> None:
        """Take the load of a subentry's data."""
        self._hass = hass
        self.data = data
        self.entity_id: str | None = data.get(CONF_ENTITY)
        self._domain = (self.entity_id or "script.").partition(".")[0]
        self.last_on: str | None = None
        """How it was when it was on last: a mode, or a value."""
        self.assumed_on: bool = True
        """Scripts do not tell what they did."""
        self.given: float | None = None
        """The power it was given last, W: nobody else has chosen that."""
        self.was_cut_off: bool = False
        """What its safety sensor told last: one that falls silent ends nothing."""

    def as_dict(self) -> dict[str, Any]:
        """Return what outlives a restart, and what it is: it may be a load no more then."""
        return {
            "last_on": self.last_on,
            "assumed_on": self.assumed_on,
            "given": self.given,
            "was_cut_off": self.was_cut_off,
            "data": dict(self.data),
        }

    def update_from_dict(self, memory: Mapping[str, Any]) -> None:
        """Take up what was remembered."""
        self.last_on = memory["last_on"]
        self.assumed_on = memory["assumed_on"]
        self.given = memory.get("given")
        self.was_cut_off = memory.get("was_cut_off", False)

    @property
    def watched(self) -> list[str]:
        """Return the entities whose states tell something of it."""
        return [
            entity_id
            for entity_id in (
                self.entity_id,
                self.data.get(CONF_POWER_SENSOR),
                self.data.get(CONF_SAFETY_ENTITY),
            )
            if entity_id is not None
        ]

    @property
    def is_on(self) -> bool | None:
        """Return whether it is on, None where that is not known."""
        if self.entity_id is None:
            return self.assumed_on
        state = self._hass.states.get(self.entity_id)
        on = self.reads_on(state)
        is_given = self.given is not None and self.level == self.given
        if on and state is not None and not is_given:
            self.last_on = state.state
        return on

    def reads_on(self, state: State | None) -> bool | None:
        """Return whether a state of it says that it is on."""
        if state is None or state.state in TOO_OLD:
            return None
        if self._domain not in NUMBERS:
            # Of a climate and a water heater all but "off" is a mode.
            on_off = self._domain in ("climate", "water_heater")
            return state.state != STATE_OFF if on_off else state.state == STATE_ON
        try:
            value = float(state.state)
        except ValueError:
            return None
        on, off = self._values()
        return abs(value - on) < abs(value - off) or min(on, off) < value < max(on, off)

    @property
    def level(self) -> float | None:
        """Return the power a number is set to, W, None where it is none or not known."""
        if self._domain not in NUMBERS:
            return None
        state = self._hass.states.get(self.entity_id or "")
        try:
            value = float("nan" if state is None else state.state)
        except ValueError:
            return None
        on, off = self._values()
        part = (value - off) / (on - off)
        power = float(self.data.get(CONF_POWER, 0.0))
        return round(power * min(1.0, max(0.0, part)), 3) if isfinite(part) else None

    @property
    def is_cut_off(self) -> bool:
        """Return whether it must be off for safety, as far as is known."""
        sensor = self.data.get(CONF_SAFETY_ENTITY)
        if sensor is None:
            return False
        state = self._hass.states.get(sensor)
        if state is not None and state.state not in TOO_OLD:
            self.was_cut_off = state.state == STATE_ON
        return self.was_cut_off

    @property
    def power(self) -> float | None:
        """Return what it draws, W, None where that is not measured."""
        sensor = self.data.get(CONF_POWER_SENSOR)
        state = None if sensor is None else self._hass.states.get(sensor)
        if state is None or state.state in TOO_OLD:
            return None
        try:
            power = float(state.state)
        except ValueError:
            return None
        factor = {"kW": 1000.0, "mW": 0.001, "MW": 1e6}.get(
            str(state.attributes.get("unit_of_measurement")), 1.0
        )
        return power * factor

    async def switch(
        self, on: bool, context: Context, level: float | None = None
    ) -> None:
        """Have it switched, or set to `level` W; raises what the action raises."""
        domain, action, data = self._call(on)
        self.given = None
        if on and level is not None and self._domain in NUMBERS:
            data[ATTR_VALUE] = self._value_of(level)
            self.given = round(level, 3)
        await self._hass.services.async_call(
            domain, action, data, blocking=True, context=context
        )
        self.assumed_on = on

    def _value_of(self, level: float) -> float:
        value_on, value_off = self._values()
        part = level / float(self.data[CONF_POWER])
        return round(value_off + part * (value_on - value_off), 3)

    def _values(self) -> tuple[float, float]:
        return float(self.data[CONF_VALUE_ON]), float(self.data[CONF_VALUE_OFF])

    def _call(self, on: bool) -> Call:
        """Return the action that switches it."""
        ways: Mapping[str, Callable[[bool], Call]] = {
            "script": self._run_script,
            "climate": self._set_hvac_mode,
            "water_heater": self._set_operation,
            "number": self._set_number,
            "input_number": self._set_number,
        }
        way = ways.get(self._domain)
        if way is not None:
            return way(on)
        return self._domain, SERVICE_TURN_ON if on else SERVICE_TURN_OFF, self._target()

    def _target(self) -> dict[str, Any]:
        return {ATTR_ENTITY_ID: self.entity_id}

    def _attribute(self, name: str) -> Any:
        state = self._hass.states.get(self.entity_id or "")
        return None if state is None else state.attributes.get(name)

    def _run_script(self, on: bool) -> Call:
        script = self.data[CONF_SCRIPT_ON if on else CONF_SCRIPT_OFF]
        return "script", SERVICE_TURN_ON, {ATTR_ENTITY_ID: script}

    def _mode(self, offered: Any) -> str | None:
        """Return the mode it had when it was on, or the first that is one."""
        modes = [str(mode) for mode in offered or () if str(mode) != STATE_OFF]
        if self.last_on in modes:
            return self.last_on
        return modes[0] if modes else None

    def _set_hvac_mode(self, on: bool) -> Call:
        mode = self._mode(self._attribute(ATTR_HVAC_MODES)) if on else HVACMode.OFF
        if mode is None:
            return "climate", SERVICE_TURN_ON, self._target()
        return (
            "climate",
            SERVICE_SET_HVAC_MODE,
            {**self._target(), ATTR_HVAC_MODE: str(mode)},
        )

    def _set_operation(self, on: bool) -> Call:
        features = self._attribute(ATTR_SUPPORTED_FEATURES) or 0
        mode = self._mode(self._attribute(ATTR_OPERATION_LIST)) if on else STATE_OFF
        if features & WATER_HEATER_ON_OFF or mode is None:
            action = SERVICE_TURN_ON if on else SERVICE_TURN_OFF
            return "water_heater", action, self._target()
        return (
            "water_heater",
            SERVICE_SET_OPERATION_MODE,
            {**self._target(), ATTR_OPERATION_MODE: mode},
        )

    def _set_number(self, on: bool) -> Call:
        value_on, value_off = self._values()
        value = value_off
        if on:
            # A person may have set less, or more, than what is usual.
            value = float(self.last_on) if self.last_on is not None else value_on
        return self._domain, SERVICE_SET_VALUE, {**self._target(), ATTR_VALUE: value}

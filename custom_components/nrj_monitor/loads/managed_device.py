"""A load as entities and actions of Home Assistant: its state, and its switching."""

from collections.abc import Callable, Mapping
from datetime import datetime
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

from ..sources.timeout import AdaptiveTimeout
from ..sources.units import async_watts
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

NO_STATE: Final = (None, STATE_UNAVAILABLE, STATE_UNKNOWN)

type Call = tuple[str, str, dict[str, Any]]
"""Domain, action and data."""


class ManagedDevice:
    """State and switching of a load.

    State mutation rules: `update`, `watch_power`, `switch` and `update_from_dict` change
    what is kept here; the properties only read.
    """

    def __init__(self, hass: HomeAssistant, data: Mapping[str, Any]) -> None:
        """Control the load of a subentry's data."""
        self._hass = hass
        self.data = data
        self.entity_id: str | None = data.get(CONF_ENTITY)
        self._domain = (self.entity_id or "script.").partition(".")[0]
        self.last_on: str | None = None
        """Last state while on: a mode, or a value."""
        self.assumed_on: bool = True
        """State after the last script: scripts do not report their effect."""
        self.given: float | None = None
        """Power set by the arbiter last, W, as opposed to a person's setting."""
        self.was_cut_off: bool = False
        """Last state of the safety sensor: a sensor that becomes unavailable ends no cut-off."""
        self._power_rhythm: AdaptiveTimeout | None = None
        self._power_reported: datetime | None = None
        self._is_power_frozen = False

    def as_dict(self) -> dict[str, Any]:
        """Return the state to keep over a restart, with the settings to switch a removed load."""
        return {
            "last_on": self.last_on,
            "assumed_on": self.assumed_on,
            "given": self.given,
            "was_cut_off": self.was_cut_off,
            "data": dict(self.data),
        }

    def update_from_dict(self, stored: Mapping[str, Any]) -> None:
        """Take over the result of `as_dict` from before a restart."""
        self.last_on = stored["last_on"]
        self.assumed_on = stored["assumed_on"]
        self.given = stored.get("given")
        self.was_cut_off = stored.get("was_cut_off", False)

    @property
    def watched(self) -> list[str]:
        """Return the entities whose states concern the load."""
        return [
            entity_id
            for entity_id in (
                self.entity_id,
                self.data.get(CONF_POWER_SENSOR),
                self.data.get(CONF_SAFETY_ENTITY),
            )
            if entity_id is not None
        ]

    def update(self) -> None:
        """Keep the last state while on, and the last state of the safety sensor."""
        state = self._hass.states.get(self.entity_id or "")
        is_given = self.given is not None and self.level == self.given
        if state is not None and self.reads_on(state) and not is_given:
            self.last_on = state.state
        if self.data.get(CONF_SAFETY_ENTITY) is not None:
            self.was_cut_off = self.is_cut_off

    def watch_power(self, now: float) -> None:
        """Note whether the power sensor still reports at `now`, s of a monotonic clock."""
        state = self._hass.states.get(self.data.get(CONF_POWER_SENSOR, ""))
        if state is None or state.state in NO_STATE:
            return
        if self._power_rhythm is None:
            self._power_rhythm = AdaptiveTimeout(now)
        if state.last_reported != self._power_reported:
            self._power_reported = state.last_reported
            self._power_rhythm.update(now)
        self._is_power_frozen = now > self._power_rhythm.deadline()

    @property
    def is_on(self) -> bool | None:
        """Return whether the load is on; None while unknown."""
        if self.entity_id is None:
            return self.assumed_on
        return self.reads_on(self._hass.states.get(self.entity_id))

    def reads_on(self, state: State | None) -> bool | None:
        """Return whether `state` of the load's entity means on; None while unknown."""
        if state is None or state.state in NO_STATE:
            return None
        if self._domain not in NUMBERS:
            # All states of a climate and a water heater but "off" are modes.
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
        """Return the power to which a number is set, W; None for others and while unknown."""
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
        """Return whether the load must be off for safety, by the last known sensor state."""
        sensor = self.data.get(CONF_SAFETY_ENTITY)
        if sensor is None:
            return False
        state = self._hass.states.get(sensor)
        if state is None or state.state in NO_STATE:
            return self.was_cut_off
        return bool(state.state == STATE_ON)

    @property
    def power(self) -> float | None:
        """Return the measured power of the load, W; None without a measurement of now."""
        power = async_watts(self._hass, self.data.get(CONF_POWER_SENSOR))
        # Many sensors tell nothing new while nothing flows; a power that flows never
        # stands still.
        return None if power and self._is_power_frozen else power

    async def switch(
        self, on: bool, context: Context, level: float | None = None
    ) -> None:
        """Switch the load, or set the load to `level` W; raises the action's errors."""
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
        """Return the action to switch the load."""
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
        """Return the last mode while on, or the first mode offered."""
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
            # A person may have set less, or more, than the usual value.
            value = float(self.last_on) if self.last_on is not None else value_on
        return self._domain, SERVICE_SET_VALUE, {**self._target(), ATTR_VALUE: value}

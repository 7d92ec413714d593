"""A load as entities and actions of Home Assistant: its state, and its switching."""

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Final

from homeassistant.components.number import ATTR_VALUE
from homeassistant.const import (
    ATTR_ENTITY_ID,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import Context, HomeAssistant, State

from ..sources.timeout import AdaptiveTimeout
from ..sources.units import async_watts
from .entity_kinds import KINDS, Switching, on_off_values, part_of
from .settings import (
    CONF_ENTITY,
    CONF_POWER,
    CONF_POWER_SENSOR,
    CONF_SAFETY_ENTITY,
    CONF_SCRIPT_OFF,
    CONF_SCRIPT_ON,
    NUMBERS,
)

NO_STATE: Final = (None, STATE_UNAVAILABLE, STATE_UNKNOWN)

LONGEST_STATE: Final = 255
"""Characters of a state in Home Assistant."""


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
        self._kind = KINDS[self._domain]
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
        """Take over the result of `as_dict` from before a restart.

        Raises LookupError, TypeError or ValueError for other data, before any change.
        """
        last_on, given = stored["last_on"], stored.get("given")
        if last_on is not None and len(last_on := str(last_on)) > LONGEST_STATE:
            raise ValueError("The last state of a load is longer than any")
        if given is not None and not isfinite(given := float(given)):
            raise ValueError(f"{given} W is no power")
        self.last_on, self.given = last_on, given
        self.assumed_on = bool(stored["assumed_on"])
        self.was_cut_off = bool(stored.get("was_cut_off", False))

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

    @property
    def commanded(self) -> list[str]:
        """Return the entities that are commanded to switch the load."""
        return [
            self.data[field]
            for field in (CONF_ENTITY, CONF_SCRIPT_ON, CONF_SCRIPT_OFF)
            if self.data.get(field) is not None
        ]

    def update(self) -> None:
        """Keep the last state while on, and the last state of the safety sensor."""
        state = self._state
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
        return self.reads_on(self._state)

    def reads_on(self, state: State | None) -> bool | None:
        """Return whether `state` of the load's entity means on; None while unknown."""
        if state is None or state.state in NO_STATE:
            return None
        return self._kind.reads_on(state.state, self.data)

    @property
    def level(self) -> float | None:
        """Return the power to which a number is set, W; None for others and while unknown."""
        if self._domain not in NUMBERS or (state := self._state) is None:
            return None
        if (part := part_of(state.state, self.data)) is None:
            return None
        power = float(self.data.get(CONF_POWER, 0.0))
        return round(power * min(1.0, max(0.0, part)), 3)

    @property
    def tells_power(self) -> bool:
        """Return whether anything tells the power: a sensor, or the number that is set."""
        return self._domain in NUMBERS or CONF_POWER_SENSOR in self.data

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
        switching = Switching(state=self._state, last_on=self.last_on, data=self.data)
        action, data = self._kind.action(switching, on)
        if self.entity_id is not None:
            data[ATTR_ENTITY_ID] = self.entity_id
        self.given = None
        if on and level is not None and self._domain in NUMBERS:
            data[ATTR_VALUE] = self._value_of(level)
            self.given = round(level, 3)
        await self._hass.services.async_call(
            self._domain, action, data, blocking=True, context=context
        )
        self.assumed_on = on

    @property
    def _state(self) -> State | None:
        return None if self.entity_id is None else self._hass.states.get(self.entity_id)

    def _value_of(self, level: float) -> float:
        value_on, value_off = on_off_values(self.data)
        part = level / float(self.data[CONF_POWER])
        return round(value_off + part * (value_on - value_off), 3)

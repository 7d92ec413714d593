"""Automation triggers of this integration.

Kept thin: Home Assistant's interface for them still moves. What lasts are the event
entities and the device triggers.
"""

from math import nan
from typing import Any, Final, override

from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.components.event import ATTR_EVENT_TYPE
from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    CONF_OPTIONS,
    STATE_OFF,
    UnitOfElectricCurrent,
    UnitOfPower,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.trigger import (
    ENTITY_STATE_TRIGGER_SCHEMA_WITH_BEHAVIOR,
    EntityTriggerBase,
    StatelessEntityTriggerBase,
    Trigger,
    TriggerConfig,
)
from homeassistant.util.unit_conversion import ElectricCurrentConverter, PowerConverter
import probatio as vol

from .frequency_guard.guard_state import OVER, UNDER, GuardState
from .loads.activity import ACTIVITIES
from .loads.limits import main_fuse_of

STAGES: Final = tuple(state.value for state in GuardState)
LOW: Final = frozenset(state.value for state in UNDER)
HIGH: Final = frozenset(state.value for state in OVER)
"""States of the sensor that tells how the grid is."""

SHED: Final = frozenset(word for word in ACTIVITIES if word.startswith("shed_"))
AWAY: Final = SHED | {
    word
    for word in ACTIVITIES
    if word.startswith("restoring_") or word in ("held", "lost")
}
BACK: Final = frozenset({"running", "comfort", "limited"})
STARTED: Final = frozenset({"absorbing", "surplus"})
OVERRIDDEN: Final = frozenset({"overridden_on", "overridden_off"})
"""States of the sensor that tells what a load does."""

CONF_POWER: Final = "power"
CONF_STAGE: Final = "stage"
CONF_CURRENT: Final = "current"

WORDS: Final = {"sensor": DomainSpec(device_class=SensorDeviceClass.ENUM)}
POWERS: Final = {"sensor": DomainSpec(device_class=SensorDeviceClass.POWER)}
CURRENTS: Final = {"sensor": DomainSpec(device_class=SensorDeviceClass.CURRENT)}
EVENTS: Final = {"event": DomainSpec()}
LINKS: Final = {
    "binary_sensor": DomainSpec(device_class=BinarySensorDeviceClass.CONNECTIVITY)
}
LOST: Final = frozenset({STATE_OFF})
"""States of the sensor that tells whether a meter answers."""


def measured(state: State) -> float:
    """Return the state of a power or current sensor in W or A, NaN for no number."""
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    try:
        value = float(state.state)
        if unit in ElectricCurrentConverter.VALID_UNITS:
            return ElectricCurrentConverter.convert(
                value, unit, UnitOfElectricCurrent.AMPERE
            )
        if unit in PowerConverter.VALID_UNITS:
            return PowerConverter.convert(value, unit, UnitOfPower.WATT)
    except ValueError:
        return nan
    return value


def above(state: State, limit: float) -> bool:
    """Return whether a sensor is above a limit in W or A."""
    return measured(state) > limit


def below(state: State, limit: float) -> bool:
    """Return whether a sensor is below a limit in W or A."""
    return measured(state) < limit


def _schema(options: dict[Any, Any]) -> vol.Schema:
    """Return the schema of a trigger with options of its own."""
    return ENTITY_STATE_TRIGGER_SCHEMA_WITH_BEHAVIOR.extend(
        {vol.Required(CONF_OPTIONS): options}
    )


class WordTrigger(EntityTriggerBase):
    """Fires when a sensor changes from a set of states to another."""

    _domain_specs = WORDS
    _primary_entities_only = False
    _from: frozenset[str] | None = None
    _to: frozenset[str] = frozenset()

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Return whether the former state permits the trigger."""
        if self._from is not None:
            return from_state.state in self._from
        return from_state.state not in self._to

    @override
    def is_valid_state(self, state: State, report_not_triggered: Any) -> bool:
        """Return whether the new state is a target."""
        return state.state in self._to


class FrequencyLow(WordTrigger):
    """The frequency of the grid is low."""

    _to = LOW


class FrequencyHigh(WordTrigger):
    """The frequency of the grid is high."""

    _to = HIGH


class StageEntered(WordTrigger):
    """The guard enters a chosen stage."""

    _schema = _schema(
        {vol.Required(CONF_STAGE): vol.All(vol.EnsureList(), [vol.In(STAGES)])}
    )

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Use the chosen stages."""
        super().__init__(hass, config)
        self._to = frozenset(self._options[CONF_STAGE])


class StageLeft(StageEntered):
    """The guard leaves the chosen stages."""

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Use the chosen stages."""
        super().__init__(hass, config)
        self._from, self._to = self._to, frozenset(STAGES) - self._to


class LoadShed(WordTrigger):
    """A load is shed."""

    _to = SHED


class LoadRestored(WordTrigger):
    """A shed load runs again."""

    _from = AWAY
    _to = BACK


class SurplusAbove(EntityTriggerBase):
    """The surplus exceeds a power."""

    _domain_specs = POWERS
    _schema = _schema({vol.Required(CONF_POWER): vol.Coerce(float)})

    def _holds(self, state: State) -> bool:
        return below(state, -self._options[CONF_POWER])

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Return whether the former state was on the other side of the limit."""
        return not self._holds(from_state)

    @override
    def is_valid_state(self, state: State, report_not_triggered: Any) -> bool:
        """Return whether the new state is beyond the limit."""
        return self._holds(state)


class SurplusBelow(SurplusAbove):
    """The surplus falls below a power."""

    @override
    def _holds(self, state: State) -> bool:
        return above(state, -self._options[CONF_POWER])


class PhaseOverloaded(SurplusAbove):
    """The current of a phase exceeds a limit, by default the main fuse of its meter."""

    _domain_specs = CURRENTS
    _schema = _schema({vol.Optional(CONF_CURRENT): vol.Coerce(float)})

    @override
    def _holds(self, state: State) -> bool:
        limit = self._options.get(CONF_CURRENT)
        if limit is None:
            limit = main_fuse_of(self._hass, state.entity_id)
        return limit is not None and above(state, limit)


class MeterLost(WordTrigger):
    """A meter answers no more."""

    _domain_specs = LINKS
    _to = LOST


class SupplyDisturbed(StatelessEntityTriggerBase):
    """A disturbance of the supply begins, or is told once it is over."""

    _domain_specs = EVENTS
    _kind: str

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Return whether the event is new: a long one is told at its start and its end."""
        is_end_of_known = from_state.attributes.get("ongoing") is True and event_key(
            from_state
        ) == event_key(to_state)
        return super().is_valid_transition(from_state, to_state) and not is_end_of_known

    @override
    def is_valid_state(self, state: State, report_not_triggered: Any) -> bool:
        """Return whether the event is of the kind."""
        return state.attributes.get(ATTR_EVENT_TYPE) == self._kind


def event_key(state: State) -> tuple[Any, Any]:
    """Return what names an event among those of its meter."""
    return state.attributes.get("boot"), state.attributes.get("number")


def _disturbed(kind: str) -> type[SupplyDisturbed]:
    """Return the trigger of a kind of event."""
    return type(f"Supply{kind.title()}", (SupplyDisturbed,), {"_kind": kind})


DISTURBANCES: Final = ("dip", "swell", "interruption", "phase_loss")
"""Kinds of power quality events with a trigger, which is named after the kind."""


TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "frequency_low": FrequencyLow,
    "frequency_high": FrequencyHigh,
    "stage_entered": StageEntered,
    "stage_left": StageLeft,
    "load_shed": LoadShed,
    "load_restored": LoadRestored,
    "surplus_above": SurplusAbove,
    "surplus_below": SurplusBelow,
    "phase_overloaded": PhaseOverloaded,
    "meter_lost": MeterLost,
    **{kind: _disturbed(kind) for kind in DISTURBANCES},
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS

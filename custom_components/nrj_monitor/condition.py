"""Automation conditions of this integration."""

from datetime import timedelta
from typing import Any, Final, override

from homeassistant.components.event import ATTR_EVENT_TYPE
from homeassistant.const import CONF_OPTIONS
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import (
    ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL,
    Condition,
    ConditionConfig,
    EntityConditionBase,
    make_entity_state_condition,
)
from homeassistant.util import dt as dt_util
import probatio as vol

from .loads.limits import main_fuse_of
from .trigger import (
    BACK,
    CONF_CURRENT,
    CONF_POWER,
    CONF_STAGE,
    CURRENTS,
    DISTURBANCES,
    EVENTS,
    HIGH,
    LINKS,
    LOST,
    LOW,
    POWERS,
    SHED,
    STAGES,
    WORDS,
    above,
    below,
)

CONF_KIND: Final = "kind"
CONF_WITHIN: Final = "within"


def _schema(options: dict[Any, Any]) -> vol.Schema:
    """Return the schema of a condition with options of its own."""
    return ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL.extend(
        {vol.Required(CONF_OPTIONS): options}
    )


class StageIs(EntityConditionBase):
    """The guard is in a chosen stage."""

    _domain_specs = WORDS
    _primary_entities_only = False
    _schema = _schema(
        {vol.Required(CONF_STAGE): vol.All(vol.EnsureList(), [vol.In(STAGES)])}
    )

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Use the chosen stages."""
        super().__init__(hass, config)
        self._stages = (config.options or {})[CONF_STAGE]

    @override
    def is_valid_state(self, entity_state: State) -> bool:
        """Return whether the state fulfils the condition."""
        return entity_state.state in self._stages


class SurplusIsAbove(EntityConditionBase):
    """The surplus exceeds a power."""

    _domain_specs = POWERS
    _schema = _schema({vol.Required(CONF_POWER): vol.Coerce(float)})

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Use the chosen limit."""
        super().__init__(hass, config)
        self._limit: float = (config.options or {})[CONF_POWER]

    @override
    def is_valid_state(self, entity_state: State) -> bool:
        """Return whether the state fulfils the condition."""
        return below(entity_state, -self._limit)


class SurplusIsBelow(SurplusIsAbove):
    """The surplus is below a power."""

    @override
    def is_valid_state(self, entity_state: State) -> bool:
        """Return whether the state fulfils the condition."""
        return above(entity_state, -self._limit)


class PhaseIsOverloaded(EntityConditionBase):
    """The current of a phase exceeds a limit, by default the main fuse of its meter."""

    _domain_specs = CURRENTS
    _schema = _schema({vol.Optional(CONF_CURRENT): vol.Coerce(float)})

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Use the chosen limit."""
        super().__init__(hass, config)
        self._limit: float | None = (config.options or {}).get(CONF_CURRENT)

    @override
    def is_valid_state(self, entity_state: State) -> bool:
        """Return whether the state fulfils the condition."""
        limit = self._limit
        if limit is None:
            limit = main_fuse_of(self._hass, entity_state.entity_id)
        return limit is not None and above(entity_state, limit)


class SupplyWasDisturbed(EntityConditionBase):
    """The latest disturbance of the supply is of a chosen kind, and recent or ongoing."""

    _domain_specs = EVENTS
    _schema = ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL.extend(
        {
            vol.Required(CONF_OPTIONS): {
                vol.Optional(CONF_KIND, default=list(DISTURBANCES)): vol.All(
                    vol.EnsureList(), [vol.In(DISTURBANCES)]
                ),
                vol.Optional(
                    CONF_WITHIN, default=lambda: timedelta(minutes=5)
                ): cv.positive_time_period,
            }
        }
    )

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Use the chosen kinds and time."""
        super().__init__(hass, config)
        options = config.options or {}
        self._kinds: list[str] = options[CONF_KIND]
        self._within: timedelta = options[CONF_WITHIN]

    @override
    def is_valid_state(self, entity_state: State) -> bool:
        """Return whether the state fulfils the condition."""
        attributes = entity_state.attributes
        if attributes.get(ATTR_EVENT_TYPE) not in self._kinds:
            return False
        told = dt_util.parse_datetime(entity_state.state)
        is_recent = told is not None and dt_util.utcnow() - told <= self._within
        return is_recent or attributes.get("ongoing") is True


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "frequency_is_low": make_entity_state_condition(
        WORDS, set(LOW), primary_entities_only=False
    ),
    "frequency_is_high": make_entity_state_condition(
        WORDS, set(HIGH), primary_entities_only=False
    ),
    "stage_is": StageIs,
    "load_is_shed": make_entity_state_condition(WORDS, set(SHED)),
    "load_is_back": make_entity_state_condition(WORDS, set(BACK)),
    "surplus_is_above": SurplusIsAbove,
    "surplus_is_below": SurplusIsBelow,
    "phase_is_overloaded": PhaseIsOverloaded,
    "meter_is_lost": make_entity_state_condition(
        LINKS, set(LOST), primary_entities_only=False
    ),
    "supply_was_disturbed": SupplyWasDisturbed,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS

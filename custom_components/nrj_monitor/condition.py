"""Automation conditions of this integration."""

from typing import Any, Final, override

from homeassistant.const import CONF_OPTIONS
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.condition import (
    ENTITY_STATE_CONDITION_SCHEMA_ANY_ALL,
    Condition,
    ConditionConfig,
    EntityConditionBase,
    make_entity_state_condition,
)
import probatio as vol

from .trigger import (
    CONF_CURRENT,
    CONF_POWER,
    CONF_STAGE,
    CURRENTS,
    HIGH,
    LOW,
    POWERS,
    SHED,
    STAGES,
    WORDS,
    above,
    below,
)


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
    _option = CONF_POWER

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Use the chosen limit."""
        super().__init__(hass, config)
        self._limit: float = (config.options or {})[self._option]

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


class PhaseIsOverloaded(SurplusIsAbove):
    """The current of a phase exceeds a limit."""

    _domain_specs = CURRENTS
    _schema = _schema({vol.Required(CONF_CURRENT): vol.Coerce(float)})
    _option = CONF_CURRENT

    @override
    def is_valid_state(self, entity_state: State) -> bool:
        """Return whether the state fulfils the condition."""
        return above(entity_state, self._limit)


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "frequency_is_low": make_entity_state_condition(
        WORDS, set(LOW), primary_entities_only=False
    ),
    "frequency_is_high": make_entity_state_condition(
        WORDS, set(HIGH), primary_entities_only=False
    ),
    "stage_is": StageIs,
    "load_is_shed": make_entity_state_condition(WORDS, set(SHED)),
    "surplus_is_above": SurplusIsAbove,
    "surplus_is_below": SurplusIsBelow,
    "phase_is_overloaded": PhaseIsOverloaded,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS

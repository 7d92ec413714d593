"""Form of a load: the basics first, then sections for times, values and safety."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import CONF_NAME, UnitOfPower, UnitOfTime
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    EntityWithDeviceFilterSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import probatio as vol

from ..control.load import LoadClass, WhenLost
from ..loads.entity_kinds import DOMAINS
from ..loads.settings import (
    ALL_PHASES,
    CONF_CLASS,
    CONF_ENTITY,
    CONF_LONGEST_OFF,
    CONF_MINIMUM_OFF,
    CONF_MINIMUM_ON,
    CONF_OPTION_OFF,
    CONF_OPTION_ON,
    CONF_PHASE,
    CONF_POWER,
    CONF_POWER_SENSOR,
    CONF_PRIORITY,
    CONF_RECOVERY,
    CONF_SAFETY_ENTITY,
    CONF_SCRIPT_OFF,
    CONF_SCRIPT_ON,
    CONF_VALUE_LEAST,
    CONF_VALUE_OFF,
    CONF_VALUE_ON,
    CONF_VALUE_STEP,
    CONF_WHEN_LOST,
    PHASES,
    SAFETY_CLASSES,
)

SECTION_TIMES: Final = "times"
SECTION_VALUES: Final = "values"
SECTION_SAFETY: Final = "safety"

type Fields = Mapping[vol.Marker, Any]


def _number(
    low: float, high: float, unit: str | None, step: float = 1
) -> NumberSelector:
    config = NumberSelectorConfig(
        min=low, max=high, step=step, mode=NumberSelectorMode.BOX
    )
    if unit is not None:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)


def _choice(options: list[str], key: str) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=options, mode=SelectSelectorMode.DROPDOWN, translation_key=key
        )
    )


def _entity(
    domain: str | list[str], device_class: str | list[str] | None = None
) -> EntitySelector:
    wanted = EntityWithDeviceFilterSelectorConfig(domain=domain)
    if device_class is not None:
        wanted["device_class"] = device_class
    return EntitySelector(EntitySelectorConfig(filter=[wanted]))


_ENTITY: Final[Fields] = {
    vol.Required(CONF_ENTITY): _entity(domain=list(DOMAINS)),
    vol.Optional(CONF_NAME): TextSelector(),
}
_SCRIPTS: Final[Fields] = {
    vol.Required(CONF_SCRIPT_ON): _entity(domain="script"),
    vol.Required(CONF_SCRIPT_OFF): _entity(domain="script"),
    vol.Optional(CONF_NAME): TextSelector(),
}
_BASICS: Final[Fields] = {
    vol.Required(CONF_CLASS, default=LoadClass.NEVER_SHED.value): _choice(
        [kind.value for kind in LoadClass], "load_class"
    ),
    vol.Required(CONF_PRIORITY, default=50): _number(0, 100, None),
    vol.Required(CONF_PHASE, default=ALL_PHASES): _choice(list(PHASES), "load_phase"),
    vol.Required(CONF_POWER, default=1000): _number(0, 100_000, UnitOfPower.WATT),
    vol.Optional(CONF_POWER_SENSOR): _entity(domain="sensor", device_class="power"),
}
_TIMES: Final[Fields] = {
    vol.Required(CONF_MINIMUM_ON, default=60): _number(0, 86_400, UnitOfTime.SECONDS),
    vol.Required(CONF_MINIMUM_OFF, default=180): _number(0, 86_400, UnitOfTime.SECONDS),
    vol.Optional(CONF_LONGEST_OFF): _number(1, 1440, UnitOfTime.MINUTES),
    vol.Optional(CONF_RECOVERY, default=15): _number(1, 1440, UnitOfTime.MINUTES),
}
_VALUES: Final[Fields] = {
    vol.Optional(CONF_VALUE_ON): _number(-100_000, 100_000, None, 0.01),
    vol.Optional(CONF_VALUE_OFF): _number(-100_000, 100_000, None, 0.01),
    vol.Optional(CONF_VALUE_LEAST): _number(-100_000, 100_000, None, 0.01),
    vol.Optional(CONF_VALUE_STEP): _number(0.01, 100_000, None, 0.01),
    vol.Optional(CONF_OPTION_ON): TextSelector(),
    vol.Optional(CONF_OPTION_OFF): TextSelector(),
}
_SAFETY: Final[Fields] = {
    vol.Required(CONF_WHEN_LOST, default=WhenLost.HOLD.value): _choice(
        [word.value for word in WhenLost], "when_lost"
    ),
    vol.Optional(CONF_SAFETY_ENTITY): _entity(
        domain="binary_sensor", device_class=list(SAFETY_CLASSES)
    ),
}

_SECTIONS: Final[Mapping[str, Fields]] = {
    SECTION_TIMES: _TIMES,
    SECTION_VALUES: _VALUES,
    SECTION_SAFETY: _SAFETY,
}

SECTION_OF: Final[Mapping[str, str]] = {
    str(marker): name for name, fields in _SECTIONS.items() for marker in fields
}
"""Section of each field that is in one."""


def schema_of(*, scripts: bool, opened: frozenset[str]) -> vol.Schema:
    """Return the form of a pair of scripts, or of an entity; `opened` sections are open."""
    names = [name for name in _SECTIONS if name != SECTION_VALUES or not scripts]
    return vol.Schema(
        {
            **(_SCRIPTS if scripts else _ENTITY),
            **_BASICS,
            **{
                vol.Required(name): section(
                    vol.Schema(dict(_SECTIONS[name])), {"collapsed": name not in opened}
                )
                for name in names
            },
        }
    )


def flattened(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers of a form as settings, without their sections."""
    flat = {key: value for key, value in answers.items() if key not in _SECTIONS}
    for name in _SECTIONS:
        flat |= answers.get(name, {})
    return flat


def in_sections(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as the answers of a form, in their sections."""
    answers: dict[str, Any] = {}
    for key, value in data.items():
        if (name := SECTION_OF.get(key)) is None:
            answers[key] = value
        else:
            answers.setdefault(name, {})[key] = value
    return answers

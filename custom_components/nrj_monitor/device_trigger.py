"""Device triggers for the state of the grid, and for the activity of loads."""

from dataclasses import dataclass
from typing import Any, Final

from homeassistant.components.device_automation import DEVICE_TRIGGER_BASE_SCHEMA
from homeassistant.components.homeassistant.triggers import state as state_trigger
from homeassistant.const import (
    CONF_DEVICE_ID,
    CONF_DOMAIN,
    CONF_ENTITY_ID,
    CONF_FOR,
    CONF_PLATFORM,
    CONF_TYPE,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.trigger import TriggerActionType, TriggerInfo
from homeassistant.helpers.typing import ConfigType
import probatio as vol

from .const import DOMAIN
from .trigger import AWAY, BACK, HIGH, LOW, OVERRIDDEN, SHED, STARTED


@dataclass(frozen=True, slots=True)
class Turn:
    """Change of an entity's state; an empty `from_` is any state."""

    entity: str
    to: frozenset[str]
    from_: frozenset[str] = frozenset()


GRID: Final = "guard_state"
LOAD: Final = "load_activity"
"""Translation keys of the two sensors, which no rename changes."""

TYPES: Final = {
    "grid_low": Turn(GRID, LOW),
    "grid_high": Turn(GRID, HIGH),
    "grid_normal": Turn(GRID, frozenset({"normal"})),
    "grid_unknown": Turn(GRID, frozenset({"invalid"})),
    "load_shed": Turn(LOAD, SHED),
    "load_restored": Turn(LOAD, BACK, AWAY),
    "load_started": Turn(LOAD, STARTED),
    "load_overridden": Turn(LOAD, OVERRIDDEN),
}

TRIGGER_SCHEMA: Final = DEVICE_TRIGGER_BASE_SCHEMA.extend(
    {
        vol.Required(CONF_TYPE): vol.In(TYPES),
        vol.Required(CONF_ENTITY_ID): cv.entity_id_or_uuid,
        vol.Optional(CONF_FOR): cv.positive_time_period_dict,
    }
)


async def async_get_triggers(
    hass: HomeAssistant, device_id: str
) -> list[dict[str, Any]]:
    """Return the triggers of a device."""
    return [
        {
            CONF_PLATFORM: "device",
            CONF_DOMAIN: DOMAIN,
            CONF_DEVICE_ID: device_id,
            CONF_ENTITY_ID: entity.id,
            CONF_TYPE: name,
        }
        for entity in er.async_entries_for_device(er.async_get(hass), device_id)
        for name, turn in TYPES.items()
        if entity.platform == DOMAIN and entity.translation_key == turn.entity
    ]


async def async_get_trigger_capabilities(
    hass: HomeAssistant, config: ConfigType
) -> dict[str, vol.Schema]:
    """Return the extra field of the triggers: a duration."""
    return {
        "extra_fields": vol.Schema(
            {vol.Optional(CONF_FOR): cv.positive_time_period_dict}
        )
    }


async def async_attach_trigger(
    hass: HomeAssistant,
    config: ConfigType,
    action: TriggerActionType,
    trigger_info: TriggerInfo,
) -> CALLBACK_TYPE:
    """Attach a state trigger to the sensor of the device trigger."""
    turn = TYPES[config[CONF_TYPE]]
    watched: ConfigType = {
        CONF_PLATFORM: "state",
        CONF_ENTITY_ID: config[CONF_ENTITY_ID],
        state_trigger.CONF_TO: sorted(turn.to),
    }
    if turn.from_:
        watched[state_trigger.CONF_FROM] = sorted(turn.from_)
    if CONF_FOR in config:
        watched[CONF_FOR] = config[CONF_FOR]
    valid = await state_trigger.async_validate_trigger_config(hass, watched)
    return await state_trigger.async_attach_trigger(
        hass, valid, action, trigger_info, platform_type="device"
    )

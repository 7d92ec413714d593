"""Channels and entity options shared by the platforms."""

from collections.abc import Callable

import esphome.config_validation as cv
from esphome.const import CONF_DISABLED_BY_DEFAULT, CONF_NAME, CONF_TOTAL
from esphome.types import ConfigType

from . import ade9000_ns

Channel = ade9000_ns.enum("Channel", is_class=True)

PHASE_CHANNELS = ("l1", "l2", "l3")
CHANNELS = (*PHASE_CHANNELS, CONF_TOTAL)


def mark_disabled_by_default(entity: ConfigType | str, disabled: bool) -> ConfigType:
    """Return an entity's options with the platform's `disabled_by_default` as their default."""
    options = entity if isinstance(entity, dict) else {CONF_NAME: entity}
    return {CONF_DISABLED_BY_DEFAULT: disabled, **options}


def spread_disabled_by_default(*keys: str) -> Callable[[ConfigType], ConfigType]:
    """Apply the platform's `disabled_by_default` to every entity without its own.

    Entities are those in the channels, and those directly under `keys`.
    """

    def spread(config: ConfigType) -> ConfigType:
        if not isinstance(config, dict) or CONF_DISABLED_BY_DEFAULT not in config:
            return config
        config = dict(config)
        disabled = cv.boolean(config.pop(CONF_DISABLED_BY_DEFAULT))
        for channel in CHANNELS:
            if isinstance(config.get(channel), dict):
                config[channel] = {
                    key: mark_disabled_by_default(entity, disabled)
                    for key, entity in config[channel].items()
                }
        for key in keys:
            if key in config:
                config[key] = mark_disabled_by_default(config[key], disabled)
        return config

    return spread

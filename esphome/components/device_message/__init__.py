"""Messages of a component to a person: codes with values for clients, and the same in English.

Loaded by the components that use it; there is nothing to configure.
"""

import esphome.config_validation as cv
from esphome.types import ConfigType

CODEOWNERS = ["@nrj-monitor"]

CONFIG_SCHEMA = cv.Schema({})


async def to_code(config: ConfigType) -> None:
    """Add nothing but the sources."""

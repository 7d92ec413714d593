"""Journal of a component's events, kept for absent clients and over a restart.

Loaded by the components that use it; there is nothing to configure.
"""

import esphome.config_validation as cv
from esphome.types import ConfigType

CODEOWNERS = ["@nrj-monitor"]

CONFIG_SCHEMA = cv.Schema({})


async def to_code(config: ConfigType) -> None:
    """Add nothing but the sources."""

"""Voltages and currents of a simulated house: built in, or played from a recording.

Loaded by the simulated chips that measure this signal; there is nothing to configure.
"""

import esphome.config_validation as cv
from esphome.types import ConfigType

CODEOWNERS = ["@nrj-monitor"]

CONFIG_SCHEMA = cv.Schema({})


async def to_code(config: ConfigType) -> None:
    """Add nothing but the sources."""

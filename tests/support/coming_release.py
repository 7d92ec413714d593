"""Lets the test helpers of one Home Assistant release run the next one.

A pytest plugin, loaded before those helpers (`-p tests.support.coming_release`):
they import names that moved meanwhile, and Home Assistant wants to be imported
before anything imports httpx.
"""

import homeassistant.const  # noqa: F401  # isort: skip

from homeassistant.components import logger
from homeassistant.components.logger import helpers

if not hasattr(logger, "_clear_logger_overwrites"):
    logger._clear_logger_overwrites = helpers._clear_logger_overwrites  # type: ignore[attr-defined]

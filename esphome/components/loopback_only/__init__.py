"""Servers of a firmware built for a computer, reachable from that computer alone.

ESPHome binds its servers to every address of a host, and has no option for another.
"""

import esphome.codegen as cg
import esphome.config_validation as cv
from esphome.core import CORE
from esphome.types import ConfigType

CODEOWNERS = ["@nrj-monitor"]


def only_on_host(config: ConfigType) -> ConfigType:
    """Refuse every target but the host platform."""
    if not CORE.is_host:
        raise cv.Invalid(
            "loopback_only keeps a program to the computer it runs on: build for the "
            "host platform, or remove it"
        )
    return config


CONFIG_SCHEMA = cv.All(cv.Schema({}), only_on_host)


async def to_code(config: ConfigType) -> None:
    """Let every call of bind() in the program go through loopback_only.cpp."""
    cg.add_build_flag("-Wl,--wrap=bind")

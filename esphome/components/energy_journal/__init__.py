"""Journal of the energy an ADE9000 counted, kept until every client has acknowledged its records."""

import esphome.codegen as cg
from esphome.components import time as time_
from esphome.components.ade9000 import CONF_ADE9000_ID, Ade9000
import esphome.config_validation as cv
from esphome.const import CONF_ID, CONF_INTERVAL, CONF_TIME_ID
from esphome.core import CORE
import esphome.final_validate as fv
from esphome.types import ConfigType

CODEOWNERS = ["@nrj-monitor"]
DEPENDENCIES = ["ade9000", "api", "time"]
MULTI_CONF = True

CONF_FLASH = "flash"
CONF_MEMORY = "memory"
CONF_PAGE = "page"
CONF_SAVE_INTERVAL = "save_interval"

KIB = 1024

energy_journal_ns = cg.esphome_ns.namespace("energy_journal")
EnergyJournal = energy_journal_ns.class_("EnergyJournal", cg.Component)

UNITS = {"B": 1, "KB": 1000, "KIB": KIB, "MB": 1000_000, "MIB": KIB * KIB}


def _size(value: int | str) -> int:
    """Read a size like 512B, 8KiB or 64kB; a plain number is bytes."""
    text = str(value).strip().upper()
    number = text.rstrip("BIKM").strip()
    unit = text[len(number) :].strip() or "B"
    if unit not in UNITS or not number.isdecimal():
        raise cv.Invalid(f"'{value}' is not a size: write for example 512B or 64KiB")
    return int(number) * UNITS[unit]


def _default_sizes(config: ConfigType) -> ConfigType:
    """Fill in the defaults of the platform."""
    defaults = (
        {CONF_MEMORY: 512, CONF_FLASH: 0, CONF_PAGE: 700}
        if CORE.is_esp8266
        # Four kilobytes on the way, a third more than on the device.
        else {CONF_MEMORY: 32 * KIB, CONF_FLASH: 8 * KIB, CONF_PAGE: 3000}
    )
    return {**defaults, **config}


CONFIG_SCHEMA = cv.All(
    cv.Schema(
        {
            cv.GenerateID(): cv.declare_id(EnergyJournal),
            cv.GenerateID(CONF_ADE9000_ID): cv.use_id(Ade9000),
            cv.GenerateID(CONF_TIME_ID): cv.use_id(time_.RealTimeClock),
            cv.Optional(CONF_INTERVAL, default="60s"): cv.All(
                cv.positive_time_period_seconds,
                cv.Range(min=cv.TimePeriod(seconds=5), max=cv.TimePeriod(hours=1)),
            ),
            # For the records; in external RAM where there is some.
            cv.Optional(CONF_MEMORY): cv.All(
                _size, cv.int_range(min=512, max=4 * KIB * KIB)
            ),
            # Of the records, what a power cut does not take; the rest is merged to fit.
            cv.Optional(CONF_FLASH): cv.All(_size, cv.int_range(min=0, max=32 * KIB)),
            # Records that travel together, before they become text.
            cv.Optional(CONF_PAGE): cv.All(_size, cv.int_range(min=256, max=12 * KIB)),
            cv.Optional(CONF_SAVE_INTERVAL, default="15min"): cv.All(
                cv.positive_time_period_seconds,
                cv.Range(min=cv.TimePeriod(minutes=1), max=cv.TimePeriod(hours=12)),
            ),
        }
    ).extend(cv.COMPONENT_SCHEMA),
    _default_sizes,
)


def _final_validate(config: ConfigType) -> None:
    """Pages travel as Home Assistant events, and are asked for by user actions."""
    api = fv.full_config.get().get("api", {})
    for option in ("custom_services", "homeassistant_services"):
        if not api.get(option):
            raise cv.Invalid(
                f"energy_journal sends its records over the native API: add '{option}: true' to 'api:'"
            )
    if api.get("reboot_timeout", cv.TimePeriod()).total_seconds:
        raise cv.Invalid(
            "a restart for want of a client would lose records: set 'reboot_timeout: 0s' in 'api:'"
        )


FINAL_VALIDATE_SCHEMA = _final_validate


async def to_code(config: ConfigType) -> None:
    """Generate the journal beside its meter."""
    var = cg.new_Pvariable(config[CONF_ID])
    await cg.register_component(var, config)
    cg.add(var.set_meter(await cg.get_variable(config[CONF_ADE9000_ID])))
    cg.add(var.set_time(await cg.get_variable(config[CONF_TIME_ID])))
    cg.add(var.set_sizes(config[CONF_MEMORY], config[CONF_FLASH], config[CONF_PAGE]))
    cg.add(var.set_interval(config[CONF_INTERVAL].total_seconds))
    cg.add(var.set_save_interval(config[CONF_SAVE_INTERVAL].total_seconds))

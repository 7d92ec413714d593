"""Dialogue of a load, answered as the form asks: the basics, then the sections."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant

from custom_components.nrj_monitor.loads.settings import SUBENTRY_LOAD

SECTIONS = {
    "times": ("minimum_on", "minimum_off", "longest_off", "recovery"),
    "values": (
        "value_on",
        "value_off",
        "value_least",
        "value_step",
        "option_on",
        "option_off",
    ),
    "safety": ("when_lost", "safety_entity"),
}


def answers_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as a person fills in the form."""
    answers = dict(settings)
    for name, fields in SECTIONS.items():
        given = {key: answers.pop(key) for key in fields if key in answers}
        if name != "values" or "script_on" not in settings:
            answers[name] = given
    return answers


async def async_answer(
    hass: HomeAssistant, form: SubentryFlowResult, settings: Mapping[str, Any]
) -> SubentryFlowResult:
    """Return the result of sending a form; a load that does nothing yet is kept."""
    result = await hass.config_entries.subentries.async_configure(
        form["flow_id"], answers_of(settings)
    )
    if result.get("step_id") == "does_nothing":
        result = await hass.config_entries.subentries.async_configure(
            form["flow_id"], {"next_step_id": "keep"}
        )
    await hass.async_block_till_done()
    return result


async def async_open(
    hass: HomeAssistant, entry: ConfigEntry[Any], step: str = "load_entity"
) -> SubentryFlowResult:
    """Return the empty form of a new load."""
    menu = await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_LOAD), context={"source": SOURCE_USER}
    )
    return await hass.config_entries.subentries.async_configure(
        menu["flow_id"], {"next_step_id": step}
    )


async def async_reopen(
    hass: HomeAssistant, entry: ConfigEntry[Any], load_id: str
) -> SubentryFlowResult:
    """Return the form of a load that is changed."""
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_LOAD),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": load_id},
    )

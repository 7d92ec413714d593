"""The action that fills the gaps of the history, or tells what it would fill."""

from typing import Final

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry
import probatio as vol

from ..const import DOMAIN
from ..entry_data import NrjConfigEntry
from ..sources.errors import LinkDownError
from .manager import JOURNAL

HEAL_HISTORY: Final = "heal_history"

ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
ATTR_DRY_RUN: Final = "dry_run"

SCHEMA: Final = vol.Schema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY_ID): str,
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
    }
)


@callback
def async_setup_backfill_services(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN, HEAL_HISTORY, _async_heal, SCHEMA, SupportsResponse.OPTIONAL
    )


async def _async_heal(call: ServiceCall) -> ServiceResponse:
    """Fill the hours that are missing with what the meter's journal has."""
    entry: NrjConfigEntry = async_get_config_entry(
        call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID)
    )
    data = entry.runtime_data
    backfill = data.backfill
    if backfill is None or JOURNAL not in data.meter.description.features:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_journal",
            translation_placeholders={"name": entry.title},
        )
    try:
        healed = await backfill.async_heal_all(dry_run=call.data[ATTR_DRY_RUN])
    except LinkDownError as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="journal_not_read",
            translation_placeholders={"name": entry.title},
        ) from error
    return healed.as_response() if call.return_response else None

"""Action to fill, or only list, gaps of the statistics from the journal."""

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
from homeassistant.helpers.service import (
    async_get_config_entry,
    async_register_admin_service,
)
import probatio as vol

from ..const import DOMAIN
from ..entry_data import NrjConfigEntry
from ..sources import Feature
from ..sources.errors import LinkDownError
from .manager import UntrustedClockError

BACKFILL: Final = "heal_history"
"""Name of the backfill action, which automations call: a promise."""

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
    """Register the backfill action, for administrators."""
    async_register_admin_service(
        hass, DOMAIN, BACKFILL, _async_backfill, SCHEMA, SupportsResponse.OPTIONAL
    )


async def _async_backfill(call: ServiceCall) -> ServiceResponse:
    """Fill missing hours from the whole journal of a meter."""
    entry: NrjConfigEntry = async_get_config_entry(
        call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID)
    )
    data = entry.runtime_data
    manager = data.backfill
    if manager is None or Feature.JOURNAL not in data.meter.description.features:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_journal",
            translation_placeholders={"name": entry.title},
        )
    try:
        result = await manager.async_backfill_all(dry_run=call.data[ATTR_DRY_RUN])
    except LinkDownError as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="journal_not_read",
            translation_placeholders={"name": entry.title},
        ) from error
    except UntrustedClockError as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="clock_untrusted"
        ) from error
    return result.as_response() if call.return_response else None

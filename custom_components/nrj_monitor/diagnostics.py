"""What a user can send along with a bug report, without secrets or addresses."""

from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant

from . import NrjConfigEntry
from .const import CONF_ENCRYPTION_KEY
from .issues.monitor import WATCHES
from .ngsi.diagnostics import broker_diagnostics
from .ngsi.manager import LINKS

TO_REDACT = {CONF_ENCRYPTION_KEY, CONF_HOST, "mac"}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> dict[str, Any]:
    """Return the entry, the state of the link and the latest snapshot."""
    stored = {"entry": async_redact_data(entry.data, TO_REDACT)}
    if entry.state is not ConfigEntryState.LOADED:
        return stored
    meter = entry.runtime_data
    return stored | {
        "brokers": [
            broker_diagnostics(link)
            for link in hass.data.get(LINKS, {}).get(entry.entry_id, {}).values()
        ],
        "connected": meter.connected,
        "error": meter.error.key if meter.error else None,
        "snapshot": {channel.id: value for channel, value in meter.snapshot.items()},
        "relays": dict(meter.relays),
        "texts": dict(meter.texts),
        "findings": sorted(hass.data[WATCHES][entry.entry_id].findings()),
        "oscillograms": [
            {"title": wave.title, "started": wave.started.isoformat()}
            for wave in meter.log.oscillograms
        ],
    }

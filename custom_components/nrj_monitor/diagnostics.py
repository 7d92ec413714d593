"""Diagnostics of a meter for a bug report, without secrets or addresses."""

from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant

from .const import CONF_ENCRYPTION_KEY
from .entry_data import NrjConfigEntry
from .ngsi.diagnostics import broker_diagnostics

TO_REDACT = {CONF_ENCRYPTION_KEY, CONF_HOST, "mac"}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> dict[str, Any]:
    """Return the entry, the state of the link and the latest snapshot."""
    stored = {"entry": async_redact_data(entry.data, TO_REDACT)}
    if entry.state is not ConfigEntryState.LOADED:
        return stored
    data = entry.runtime_data
    meter = data.meter
    return stored | {
        "brokers": [broker_diagnostics(broker) for broker in data.brokers.values()],
        "connected": meter.connected,
        "error": meter.error.key if meter.error else None,
        "snapshot": {channel.id: value for channel, value in meter.snapshot.items()},
        "relays": dict(meter.relays),
        "texts": dict(meter.texts),
        "findings": sorted(data.issues.failed_checks()),
        "oscillograms": [
            {"title": wave.title, "started": wave.started.isoformat()}
            for wave in meter.log.oscillograms
        ],
    }

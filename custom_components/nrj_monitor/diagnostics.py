"""Diagnostics of a meter for a bug report, without secrets or addresses."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant

from .const import CONF_ENCRYPTION_KEY
from .entry_data import NrjConfigEntry
from .ngsi.manager import BrokerManager
from .ngsi.sample import iso
from .ngsi.settings import SECRET as BROKER_SECRET

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
        "brokers": [_broker_diagnostics(broker) for broker in data.brokers.values()],
        "connected": meter.connected,
        "error": meter.error.key if meter.error else None,
        "snapshot": {channel.id: value for channel, value in meter.snapshot.items()},
        "relays": dict(meter.relays),
        "texts": dict(meter.texts),
        "refused_readings": {
            id_: asdict(refusals) for id_, refusals in meter.gate.refusals.items()
        },
        "findings": sorted(data.issues.failed_checks()),
        "oscillograms": [
            {"title": wave.title, "started": wave.started.isoformat()}
            for wave in meter.log.oscillograms
        ],
    }


def _broker_diagnostics(broker: BrokerManager) -> dict[str, Any]:
    """Return the status of a broker and its settings, without secrets or the location."""
    status = broker.status
    return {
        "settings": async_redact_data(broker.subentry.data, BROKER_SECRET),
        "state": status.state,
        "counts": asdict(status.spool.counts),
        "waiting": status.spool.waiting,
        "bytes": status.spool.size,
        "set_aside": status.spool.dead_letters,
        "last_refusals": [
            {"time": iso(letter.time), "reason": letter.reason}
            for letter in status.dead_letters
        ],
    }

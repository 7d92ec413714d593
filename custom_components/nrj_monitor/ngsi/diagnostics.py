"""Diagnostics of a broker, without secrets, addresses or the location."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data

from .manager import BrokerManager
from .sample import iso
from .settings import SECRET


def broker_diagnostics(broker: BrokerManager) -> dict[str, Any]:
    """Return the redacted settings and the status of a broker."""
    status = broker.status
    return {
        "settings": async_redact_data(broker.subentry.data, SECRET),
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

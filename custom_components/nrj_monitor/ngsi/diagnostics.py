"""What diagnostics tell of a broker, without secrets, addresses or the place."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data

from .manager import BrokerLink
from .sample import iso
from .settings import SECRET


def broker_diagnostics(link: BrokerLink) -> dict[str, Any]:
    """Return what was chosen and how the forwarder does."""
    told = link.told
    return {
        "settings": async_redact_data(link.subentry.data, SECRET),
        "state": told.state,
        "counts": asdict(told.status.counts),
        "waiting": told.status.waiting,
        "bytes": told.status.size,
        "set_aside": told.status.set_aside,
        "last_refusals": [
            {"time": iso(refused.time), "reason": refused.reason}
            for refused in told.refused
        ],
    }

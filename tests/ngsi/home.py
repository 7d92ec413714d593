"""Steps of a person who adds a broker to a meter."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant

from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.ngsi.manager import BrokerManager
from custom_components.nrj_monitor.ngsi.settings import SUBENTRY_BROKER

ENTITY: dict[str, Any] = {
    "model": "three_phase",
    "entity": "urn:ngsi-ld:ThreePhaseAcMeasurement:house",
    "generation": "export",
    "location": {"latitude": 46.5, "longitude": 6.6},
    "groups": ["voltage_current", "power", "energy", "frequency", "power_quality"],
    "extras": True,
    "interval": 1,
}


def server(url: str, **more: Any) -> dict[str, Any]:
    """Return the answers to the form of the server."""
    return {"url": url, "api": "ngsi_v2", "auth": "none"} | more


class Dialogue:
    """Subentry flow of a broker, from its first form to its end."""

    def __init__(
        self, hass: HomeAssistant, entry: NrjConfigEntry, change: str | None = None
    ) -> None:
        """Prepare to add a broker, or to reconfigure the subentry `change`."""
        self.hass = hass
        self.entry = entry
        self.change = change
        self.form: Mapping[str, Any] = {}

    async def begin(self) -> Mapping[str, Any]:
        """Start the flow; return its first form."""
        context: dict[str, Any] = {"source": SOURCE_USER}
        if self.change is not None:
            context = {"source": SOURCE_RECONFIGURE, "subentry_id": self.change}
        self.form = await self.hass.config_entries.subentries.async_init(
            (self.entry.entry_id, SUBENTRY_BROKER),
            context=context,  # type: ignore[arg-type]
        )
        return self.form

    async def answer(self, answers: dict[str, Any]) -> Mapping[str, Any]:
        """Submit answers to the current form; return the next step."""
        self.form = await self.hass.config_entries.subentries.async_configure(
            self.form["flow_id"], answers
        )
        return self.form

    async def errors(self, answers: dict[str, Any]) -> dict[str, str]:
        """Submit answers to the current form; return its errors."""
        return (await self.answer(answers))["errors"] or {}


def brokers(hass: HomeAssistant, entry: NrjConfigEntry) -> list[BrokerManager]:
    """Return the brokers of a meter."""
    return list(entry.runtime_data.brokers.values())


async def add_broker(
    hass: HomeAssistant, entry: NrjConfigEntry, url: str, **more: Any
) -> BrokerManager:
    """Add a broker through its flow; `more` replaces default answers."""
    dialogue = Dialogue(hass, entry)
    await dialogue.begin()
    first = {k: more.pop(k) for k in ("api", "tenant", "service_path") if k in more}
    await dialogue.answer(server(url, **first))
    assert dialogue.form["step_id"] == "entity", dialogue.form
    result = await dialogue.answer(ENTITY | more)
    assert result["type"] == "create_entry", result
    await hass.async_block_till_done(wait_background_tasks=False)
    return brokers(hass, entry)[-1]

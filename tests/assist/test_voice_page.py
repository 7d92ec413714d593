"""Sentences of docs/voice.md, spoken to Assist."""

from pathlib import Path
import re

from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
import pytest

from custom_components.nrj_monitor.const import DOMAIN
from tests.conftest import AddMeter
from tests.support.assist import answer, async_set_up_assist, expose
from tests.support.device import DeviceServer
from tests.support.states import state_where

PAGE = Path(__file__).parents[2] / "docs" / "voice.md"

ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)

PAIRS = [
    pair
    for pair in ROW.findall(PAGE.read_text().partition("## Questions")[0])
    if pair != ("English", "French")
]
"""Sentences of the first two tables, in English and in French."""

SENSORS: dict[str, float | None] = {
    "Voltage L1": 231.0,
    "Current L2": 6.25,
    "Active power": 2500.0,
    "Frequency": 49.98,
    "Import energy": 1234.5,
}


@pytest.mark.parametrize(("language", "column"), [("en", 0), ("fr", 1)])
async def test_sentences_of_the_page_are_understood(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    language: str,
    column: int,
) -> None:
    """Each sentence of the tables switches a relay or gets a value."""
    assert len(PAIRS) == 8
    server.device.sensors = dict(SENSORS)
    await async_set_up_assist(hass, language)
    entry = await add_meter(server.port)
    cellar = ar.async_get(hass).async_create({"en": "Cellar", "fr": "Cave"}[language])
    devices = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
        devices.async_update_device(device.id, area_id=cellar.id)
    for entity in er.async_get(hass).entities.values():
        if entity.platform == DOMAIN and entity.domain == "sensor":
            expose(hass, entity.entity_id)
            await state_where(
                hass, entity.entity_id, lambda state: state.state != "unavailable"
            )
    relays = [
        (True, True),
        (True, False),
        (True, False),
    ]
    for sentence, states in zip([p[column] for p in PAIRS], relays, strict=False):
        await answer(hass, sentence)
        assert tuple(server.device.relays.values()) == states, sentence
    for sentence in [pair[column] for pair in PAIRS][len(relays) :]:
        assert re.search(r"\d (W|Hz|V|A|kWh)$", await answer(hass, sentence)), sentence

"""Image entity: the oscillogram of the latest event of the supply."""

from dataclasses import replace
from typing import override

from homeassistant.components.image import ImageEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .catalog import CHANNELS
from .const import DOMAIN
from .entity import MeterEntity
from .entry_data import NrjConfigEntry
from .meter import Meter
from .power_quality.oscillogram_image import draw_oscillogram
from .sources import Feature

PARALLEL_UPDATES = 0

FREQUENCY = CHANNELS["frequency"]
NOMINAL = (50.0, 60.0)

KIND_NAMES = (
    f"component.{DOMAIN}.entity.event.power_quality.state_attributes.event_type.state."
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the image of a meter with power quality."""
    meter = entry.runtime_data.meter
    if Feature.POWER_QUALITY in meter.description.features:
        async_add_entities([MeterOscillogram(hass, meter)])


class MeterOscillogram(MeterEntity, ImageEntity):
    """Latest oscillogram of a meter, also while the meter is offline."""

    _attr_translation_key = "oscillogram"
    _attr_content_type = "image/svg+xml"

    def __init__(self, hass: HomeAssistant, meter: Meter) -> None:
        """Initialize the image of the latest oscillogram in the log of `meter`."""
        MeterEntity.__init__(self, meter, "oscillogram")
        ImageEntity.__init__(self, hass)
        if (wave := meter.log.latest) is not None:
            self._attr_image_last_updated = wave.started

    @property
    @override
    def available(self) -> bool:
        """Return True: the oscillogram is stored in Home Assistant."""
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Update the image with each new oscillogram."""
        await super().async_added_to_hass()
        self.async_on_remove(self._meter.async_add_oscillogram_listener(self._on_wave))

    @override
    async def async_image(self) -> bytes | None:
        """Draw the latest oscillogram."""
        wave = self._meter.log.latest
        if wave is None:
            return None
        measured = self._meter.snapshot.get(FREQUENCY) or NOMINAL[0]
        nominal = min(NOMINAL, key=lambda value: abs(value - measured))
        kind, _, phase = wave.title.partition(" ")
        texts = await async_get_translations(
            self.hass, self.hass.config.language, "entity", [DOMAIN]
        )
        title = f"{texts.get(KIND_NAMES + kind, kind)} {phase}".strip()
        shown = replace(wave, title=title, started=dt_util.as_local(wave.started))
        text = await self.hass.async_add_executor_job(draw_oscillogram, shown, nominal)
        return text.encode()

    @callback
    def _on_wave(self) -> None:
        wave = self._meter.log.latest
        if wave is not None:
            self._attr_image_last_updated = wave.started
            self.async_write_ha_state()

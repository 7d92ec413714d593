"""Update entity: installed and expected version of the meter's firmware."""

from typing import override

from awesomeversion import AwesomeVersion, AwesomeVersionException
from homeassistant.components.update import UpdateDeviceClass, UpdateEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import EXPECTED_FIRMWARE
from .entity import MeterEntity
from .entry_data import NrjConfigEntry
from .meter import Meter
from .sources.esphome_entry import esphome_offers_updates

PARALLEL_UPDATES = 0

RELEASES = "https://github.com/nrj-monitor/nrj-monitor/releases"


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the update entity of a meter with this project's firmware."""
    data = entry.runtime_data
    meter = data.meter
    if meter.description.version is not None:
        async_add_entities([MeterFirmware(meter)])


class MeterFirmware(MeterEntity, UpdateEntity):
    """The meter's firmware; ESPHome installs updates, this entity announces them.

    Where Home Assistant's ESPHome integration has an update entity of the same meter,
    an update is announced there alone, so that nobody gets two notices.
    """

    _attr_translation_key = "firmware"
    _attr_device_class = UpdateDeviceClass.FIRMWARE
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_release_url = RELEASES

    def __init__(self, meter: Meter) -> None:
        """Show the firmware version of `meter`."""
        super().__init__(meter, "firmware")

    @property
    @override
    def installed_version(self) -> str | None:
        """Return the version the meter reports."""
        return self._meter.description.version

    @property
    @override
    def latest_version(self) -> str | None:
        """Return the version to install, or the installed version without an update."""
        installed = self.installed_version
        if installed is None:
            return None
        try:
            is_older = AwesomeVersion(installed) < AwesomeVersion(EXPECTED_FIRMWARE)
        except AwesomeVersionException:
            # A build with a version of its own can not be compared.
            return installed
        if is_older and not esphome_offers_updates(
            self.hass, self._meter.description.mac
        ):
            return EXPECTED_FIRMWARE
        return installed

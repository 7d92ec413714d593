"""The meters on other pages of Home Assistant: system health, updates, logbook."""

from typing import Any

from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import format_mac
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)

from custom_components.nrj_monitor import update
from custom_components.nrj_monitor.const import (
    DOMAIN,
    EVENT_POWER_QUALITY,
    EXPECTED_FIRMWARE,
)
from custom_components.nrj_monitor.logbook import async_describe_events
from tests.conftest import AddMeter
from tests.support.device import DeviceServer
from tests.support.states import state_is
from tests.support.texts import use_language

FIRMWARE = "update.nrj_meter_firmware"


async def test_system_health_has_meters_and_firmware_versions(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The page has the number of meters, their sources and their firmware."""
    await add_meter(server.port)
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    assert await get_system_health_info(hass, DOMAIN) == {
        "meters": 1,
        "connected": 1,
        "sources": "native_api",
        "firmware": server.device.project_version,
        "expected_firmware": EXPECTED_FIRMWARE,
    }


async def test_expected_firmware_is_up_to_date(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """No update is offered."""
    await add_meter(server.port)
    await state_is(hass, FIRMWARE, "off")


@pytest.mark.parametrize(
    "versions", [("0.2.0", "on"), ("0.1.0", "off"), ("0.0.9", "off")]
)
async def test_older_firmware_has_an_update(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    versions: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The expected firmware is the oldest without an update."""
    expected, state = versions
    server.device.project_version = "0.1.0"
    monkeypatch.setattr(update, "EXPECTED_FIRMWARE", expected)
    await add_meter(server.port)
    await state_is(hass, FIRMWARE, state)


@pytest.mark.parametrize(
    "offer",
    [
        ("{mac}-update-firmware", None, "off"),
        ("{mac}-update-firmware", er.RegistryEntryDisabler.USER, "on"),
        # The update of the ESPHome dashboard, which compares versions of ESPHome.
        ("{mac}", None, "on"),
    ],
)
async def test_update_is_offered_once(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    offer: tuple[str, er.RegistryEntryDisabler | None, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An update offered by the ESPHome integration is not offered a second time."""
    monkeypatch.setattr(update, "EXPECTED_FIRMWARE", "99.0.0")
    unique_id, disabled_by, hint = offer
    mac = server.device.mac
    entry = MockConfigEntry(domain="esphome", unique_id=format_mac(mac))
    entry.add_to_hass(hass)
    er.async_get(hass).async_get_or_create(
        "update",
        "esphome",
        unique_id.format(mac=mac),
        config_entry=entry,
        disabled_by=disabled_by,
    )
    await add_meter(server.port)
    await state_is(hass, FIRMWARE, hint)


async def test_firmware_without_a_version_number_is_up_to_date(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A version without an order has no update."""
    server.device.project_version = "my build"
    await add_meter(server.port)
    await state_is(hass, FIRMWARE, "off")


@pytest.mark.usefixtures("enable_custom_integrations")
async def test_logbook_describes_events_of_the_supply(
    hass: HomeAssistant,
) -> None:
    """The entry has the meter's name, a sentence and the entity id."""
    await use_language(hass, "en")
    described: dict[tuple[str, str], Any] = {}

    def describe(domain: str, event_type: str, description: Any) -> None:
        described[domain, event_type] = description

    async_describe_events(hass, describe)
    description = described[DOMAIN, EVENT_POWER_QUALITY]
    data = {
        "name": "NRJ Meter",
        "entity_id": "event.nrj_meter_power_quality",
        "kind": "dip",
        "phase": "L1",
        "extreme": 115.2,
        "unit": "V",
        "duration_s": 0.3,
    }
    assert description(Event(EVENT_POWER_QUALITY, data)) == {
        "name": "NRJ Meter",
        "message": "voltage dip on L1 down to 115.2 V for 300 ms",
        "entity_id": "event.nrj_meter_power_quality",
    }

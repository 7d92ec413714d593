"""The link to the meter is lost, and comes back by itself."""

import asyncio
import time

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.helpers.event import async_track_state_change_event
import pytest

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.meter import Meter
from custom_components.nrj_monitor.sources import MeterDescription
from custom_components.nrj_monitor.sources.errors import LinkDownError, NoAnswerError
from custom_components.nrj_monitor.sources.native_api import client, session
from custom_components.nrj_monitor.sources.native_api.address import NativeApiAddress
from custom_components.nrj_monitor.sources.native_api.device_model import StateReporter
from custom_components.nrj_monitor.sources.native_api.provisioning import probe
from custom_components.nrj_monitor.sources.native_api.session import NativeApiSource
from tests.conftest import AddMeter
from tests.support.device import KEY, OTHER_KEY, DeviceServer
from tests.support.pace import patience
from tests.support.states import state_is

VOLTAGE = "sensor.nrj_meter_voltage_l1"
RELAY = "switch.nrj_meter_relay_1"

WITHIN_SECONDS = 4.0
"""Two seconds between attempts, the rest for a busy test machine."""


async def test_a_meter_that_goes_is_unavailable_at_once_and_comes_back_by_itself(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Show no old reading of a lost meter, and connect again without help."""
    await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.0")
    shown: list[str] = []

    @callback
    def on_change(event: Event[EventStateChangedData]) -> None:
        if state := event.data["new_state"]:
            shown.append(state.state)

    async_track_state_change_event(hass, VOLTAGE, on_change)
    await server.stop()
    await state_is(hass, VOLTAGE, "unavailable", within=1.0)
    await state_is(hass, RELAY, "unavailable", within=1.0)
    server.device.sensors["Voltage L1"] = 231.5
    server.device.relays["Relay 1"] = True
    await server.start()
    await state_is(hass, VOLTAGE, "231.5", within=WITHIN_SECONDS)
    await state_is(hass, RELAY, "on", within=1.0)
    assert shown == ["unavailable", "231.5"]


@pytest.mark.usefixtures("impatient")
async def test_an_unchanged_value_is_back_as_soon_as_the_meter(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Show an unchanged value again as soon as the meter is back."""
    await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.0")
    await server.stop()
    await state_is(hass, VOLTAGE, "unavailable")
    await server.start()
    await state_is(hass, VOLTAGE, "230.0", within=WITHIN_SECONDS)


async def test_a_meter_that_was_away_for_long_is_back_as_fast(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Keep the pause between connection attempts constant, even after twenty."""
    monkeypatch.setattr(session, "RETRY_PAUSE", 0.05)
    await add_meter(server.port)
    await server.stop()
    await state_is(hass, VOLTAGE, "unavailable")
    await asyncio.sleep(1.2)
    await server.start()
    began = time.monotonic()
    await state_is(hass, VOLTAGE, "230.0")
    assert time.monotonic() - began < 0.5


@pytest.mark.usefixtures("impatient")
async def test_home_assistant_starts_while_the_meter_is_off(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """All entities are there, unavailable, and live within seconds of the meter."""
    entry = await add_meter(server.port)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await server.stop()
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    state = await state_is(hass, VOLTAGE, "unavailable")
    assert "restored" not in state.attributes
    await server.start()
    await state_is(hass, VOLTAGE, "230.0", within=WITHIN_SECONDS)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "noise",
    [
        pytest.param(b"\xff" * 64, id="no frame"),
        pytest.param(b"\x00\xff\xff\xff\xff\xff\x7f", id="a frame without end"),
    ],
)
async def test_garbage_on_the_line_costs_no_more_than_a_reconnection(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, noise: bytes
) -> None:
    """Read nothing from garbage on the line, and reconnect at once."""
    await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.0")
    joined = server.accepted
    server.garble(noise)
    await state_is(hass, VOLTAGE, "unavailable", within=1.0)
    await state_is(hass, VOLTAGE, "230.0")
    assert server.accepted == joined + 1


@pytest.mark.usefixtures("impatient")
async def test_an_error_of_our_own_does_not_lose_the_meter_for_good(
    hass: HomeAssistant, server: DeviceServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Log an error of our own in full, and connect again."""

    class Broken(Meter):
        def on_connected(self, description: MeterDescription) -> None:
            raise ValueError("broken")

    address = NativeApiAddress(host="127.0.0.1", port=server.port, key=None)
    description = (await probe(address)).description
    source = NativeApiSource(address, mac=description.mac)
    running = asyncio.create_task(Broken(source, description).run())
    await asyncio.sleep(0.5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert server.accepted > 2
    assert "ValueError: broken" in caplog.text


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("ours", "theirs", "project"),
    [
        (None, None, "nrj-monitor.meter"),
        (None, None, "acme.kettle"),
        (None, OTHER_KEY, "nrj-monitor.meter"),
        (KEY, OTHER_KEY, "acme.kettle"),
        (KEY, None, "nrj-monitor.meter"),
        (KEY, KEY, "nrj-monitor.meter"),
    ],
)
async def test_another_device_at_the_address_is_told_by_its_mac(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    ours: str | None,
    theirs: str | None,
    project: str,
) -> None:
    """A swapped address mixes no energies, asks for no key, and is told in a repair."""
    monkeypatch.setattr(session, "OTHER_PAUSE", 0.1)
    server.device.key = ours
    entry = await add_meter(server.port, ours)
    issue = (DOMAIN, f"other_meter_{entry.entry_id}")
    was = (server.device.mac, server.device.project)
    await server.stop()
    server.device.mac, server.device.key = "02:4E:52:4A:00:99", theirs
    server.device.project = project
    server.device.sensors["Voltage L1"] = 110.0
    await server.start()
    while (found := ir.async_get(hass).async_get_issue(*issue)) is None:
        await asyncio.sleep(0.05)
    assert found.translation_placeholders is not None
    assert found.translation_placeholders["mac"] == "02:4e:52:4a:00:99"
    await state_is(hass, VOLTAGE, "unavailable")
    assert not hass.config_entries.flow.async_progress()
    await server.stop()
    (server.device.mac, server.device.project), server.device.key = was, ours
    server.device.sensors["Voltage L1"] = 230.0
    await server.start()
    await state_is(hass, VOLTAGE, "230.0")
    assert ir.async_get(hass).async_get_issue(*issue) is None


async def test_a_command_without_a_link_is_an_error(
    hass: HomeAssistant, server: DeviceServer
) -> None:
    """A command is never kept for later: the house may have changed by then."""
    source = NativeApiSource(
        NativeApiAddress(host="127.0.0.1", port=server.port, key=None), mac="unknown"
    )
    with pytest.raises(LinkDownError):
        source.switch_relay("relay_1", True)


async def test_a_command_at_the_moment_the_link_breaks_is_an_error(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """No exception of the library reaches the person who pressed the button."""
    entry = await add_meter(server.port)
    source = entry.runtime_data.meter._source
    assert isinstance(source, NativeApiSource)
    assert source._client is not None
    source._client.api.force_disconnect()
    with pytest.raises(LinkDownError):
        source.switch_relay("relay_1", True)


async def test_a_setting_changed_at_the_moment_the_link_breaks_is_an_error(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Tell who changes a setting, by its name, that the meter does not have it."""
    server.device.settings = {"Guard": True}
    entry = await add_meter(server.port)
    setting = "switch.nrj_meter_guard"
    await state_is(hass, VOLTAGE, "230.0")
    assert hass.states.get(setting) is not None
    source = entry.runtime_data.meter._source
    assert isinstance(source, NativeApiSource)
    assert source._client is not None
    source._client.api.force_disconnect()
    with pytest.raises(HomeAssistantError) as refused:
        await hass.services.async_call(
            "switch", "turn_off", {"entity_id": setting}, blocking=True
        )
    assert refused.value.translation_key == "setting_link_down"


async def test_an_action_that_the_firmware_does_not_have_is_an_error(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Refuse an action that came with later firmware, without a word to the meter."""
    entry = await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.0")
    source = entry.runtime_data.meter._source
    assert isinstance(source, NativeApiSource)
    with pytest.raises(LinkDownError):
        await source.run_action("check_wiring")
    await state_is(hass, VOLTAGE, "230.0")


async def test_a_link_lost_between_greeting_and_subscription(
    hass: HomeAssistant, server: DeviceServer
) -> None:
    """Report no answer: the session ends as any other, and is tried again."""
    address = NativeApiAddress(host="127.0.0.1", port=server.port, key=None)
    lost = client.make_client(address)
    await lost.connect()
    device = await lost.read_device()
    source = NativeApiSource(address, mac=device.description.mac)
    meter = Meter(source, device.description)
    lost.api.force_disconnect()
    with pytest.raises(NoAnswerError):
        lost.subscribe_states(StateReporter(meter, device.entities))
    with pytest.raises(NoAnswerError):
        lost.subscribe_events(lambda kind, data: None)


@pytest.mark.usefixtures("impatient")
async def test_a_connection_lost_during_its_set_up(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Connect again after a link was lost during its set-up."""
    await add_meter(server.port)
    server.device.answers_questions = False
    await server.stop()
    await server.start()
    await state_is(hass, VOLTAGE, "unavailable")
    await server.wait_until_joined()
    await server.stop()
    server.device.answers_questions = True
    await server.start()
    await state_is(hass, VOLTAGE, "230.0", within=WITHIN_SECONDS)


@pytest.mark.usefixtures("impatient")
async def test_a_cut_cable_is_noticed(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Count a silent, never closed link as lost."""
    monkeypatch.setattr(client, "KEEPALIVE", 0.1)
    await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.0")
    server.frozen = True
    await state_is(hass, VOLTAGE, "unavailable", within=2.0)
    server.frozen = False
    await state_is(hass, VOLTAGE, "230.0", within=WITHIN_SECONDS)


@pytest.mark.usefixtures("impatient")
async def test_new_firmware_shows_its_version_and_its_new_entities(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """After an update of the meter nothing has to be added by hand."""
    entry = await add_meter(server.port)
    await server.stop()
    server.device.project_version = "0.2.0"
    server.device.sensors["Voltage L2"] = 229.0
    await server.start()
    await state_is(hass, "sensor.nrj_meter_voltage_l2", "229.0", within=WITHIN_SECONDS)
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.sw_version == "0.2.0 (ESPHome 2026.10.0)"


async def test_firmware_updated_while_home_assistant_was_off_is_remembered(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Set up an absent meter with its latest description."""
    entry = await add_meter(server.port)
    assert await hass.config_entries.async_unload(entry.entry_id)
    server.device.sensors["Voltage L2"] = 229.0
    assert await hass.config_entries.async_setup(entry.entry_id)
    await state_is(hass, "sensor.nrj_meter_voltage_l2", "229.0")
    assert await hass.config_entries.async_unload(entry.entry_id)
    await server.stop()
    assert await hass.config_entries.async_setup(entry.entry_id)
    state = await state_is(hass, "sensor.nrj_meter_voltage_l2", "unavailable")
    assert "restored" not in state.attributes


async def test_the_meter_gets_the_time_of_the_house(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The meter's clock follows Home Assistant, time zone included."""
    await hass.config.async_update(time_zone="Europe/Madrid")
    await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.0")
    server.ask_time()
    async with asyncio.timeout(patience(1.0)):
        while server.told_time is None:
            await asyncio.sleep(0.01)
    assert server.told_time.timezone.startswith("CET-1CEST")
    assert abs(server.told_time.epoch_seconds - time.time()) < 2.0


async def test_unloading_leaves_nothing(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """No connection and no task stays behind; removing takes the entities too."""
    entry = await add_meter(server.port)
    tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith("nrj")]
    assert len(tasks) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert tasks[0].done()
    await server.wait_until_left()
    await hass.config_entries.async_remove(entry.entry_id)
    assert list(dr.async_get(hass).devices) == []
    assert list(er.async_get(hass).entities) == []


async def test_unloading_while_the_meter_is_away(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The search for the meter ends with its entry."""
    entry = await add_meter(server.port)
    await server.stop()
    await state_is(hass, VOLTAGE, "unavailable")
    assert await hass.config_entries.async_unload(entry.entry_id)
    names = [task.get_name() for task in asyncio.all_tasks()]
    assert not [name for name in names if name.startswith("nrj")]

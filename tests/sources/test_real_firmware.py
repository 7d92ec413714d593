"""The integration against the meter's real firmware, over real sockets.

What the firmware measures is compared with physics here; that it measures what a
recording holds is tested end to end.
"""

import asyncio
from collections.abc import AsyncGenerator
import math
import time

from aioesphomeapi.client import APIClient
from aioesphomeapi.model import SwitchInfo
from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TURN_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.nrj_monitor.catalog import CHANNELS
from nrj_tools.firmware import RunningFirmware
from tests.conftest import HOST, AddMeter, Ask
from tests.support.device import KEY, OTHER_KEY
from tests.support.forms import sentence
from tests.support.measured import MEASURED
from tests.support.noise_proxy import NoiseProxy
from tests.support.states import state_is, state_where

VOLTAGE = "sensor.nrj_meter_voltage_l1"
RELAY = "switch.nrj_meter_relay_1"

PHASES = ("l1", "l2", "l3")


def measured(state: State) -> bool:
    """Return whether a state is a number."""
    return state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)


async def number(hass: HomeAssistant, key: str) -> float:
    """Return a reading as soon as the sensor has a value."""
    state = await state_where(hass, f"sensor.nrj_meter_{key}", measured)
    return float(state.state)


@pytest.fixture
async def other_client(firmware: RunningFirmware) -> AsyncGenerator[APIClient]:
    """Return another client of the meter, such as ESPHome's own."""
    client = APIClient(HOST, firmware.port, None)
    await client.connect(login=True)
    yield client
    await client.disconnect()


async def test_every_reading_of_the_firmware_becomes_a_sensor(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """Nothing the meter measures is missing, and both relays are there."""
    entry = await add_meter(firmware.port)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    keys = {
        entity.unique_id.rpartition(":")[2].partition("_")[2]
        for entity in entities
        if entity.domain in ("sensor", "switch")
    }
    guard = {"guard", "guard_state", "guard_reason"}
    assert keys == {*MEASURED, "relay_1", "relay_2"} | guard


async def test_readings_obey_physics(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """Check mains voltage, S² ≥ P² + Q² and totals as sums of phases."""
    await add_meter(firmware.port)
    totals = {"active_power": 0.0, "apparent_power": 0.0, "reactive_power": 0.0}
    for phase in PHASES:
        # EN 50160: 230 V within 10 %.
        assert 207 <= await number(hass, f"voltage_{phase}") <= 253
        active = await number(hass, f"active_power_{phase}")
        reactive = await number(hass, f"reactive_power_{phase}")
        apparent = await number(hass, f"apparent_power_{phase}")
        assert apparent >= 0.99 * math.hypot(active, reactive) - 1.0
        assert -1.0 <= await number(hass, f"power_factor_{phase}") <= 1.0
        totals["active_power"] += active
        totals["reactive_power"] += reactive
        totals["apparent_power"] += apparent
    for key, total in totals.items():
        assert await number(hass, key) == pytest.approx(total, rel=0.01, abs=3.0)
    assert 49.5 <= await number(hass, "frequency") <= 50.5
    assert await number(hass, "rejected_frames") == 0


async def test_a_snapshot_is_of_a_single_update(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """Find the sum of the phases as the total in every snapshot."""
    entry = await add_meter(firmware.port)
    meter = entry.runtime_data.meter
    total = CHANNELS["active_power"]
    phases = [CHANNELS[f"active_power_{phase}"] for phase in PHASES]
    errors: list[float] = []

    def compare(*_: object) -> None:
        parts = [meter.snapshot[phase] for phase in phases]
        whole = meter.snapshot[total]
        if whole is not None and None not in parts:
            errors.append(abs(whole - sum(part for part in parts if part is not None)))

    unsubscribe = meter.async_add_reading_listener(total, compare)
    await asyncio.sleep(3.0)
    unsubscribe()
    assert len(errors) >= 10, "the meter sends five times a second"
    # 32-bit floats of some kilowatts resolve better than a milliwatt.
    assert max(errors) < 0.01


async def test_a_relay_switched_by_another_client_shows(
    hass: HomeAssistant,
    add_meter: AddMeter,
    firmware: RunningFirmware,
    other_client: APIClient,
) -> None:
    """Show a relay's state whichever client switched the relay."""
    await add_meter(firmware.port)
    await state_is(hass, RELAY, "off")
    listed, _ = await other_client.list_entities_services()
    relay = next(
        entity
        for entity in listed
        if isinstance(entity, SwitchInfo) and entity.name == "Relay 1"
    )
    other_client.switch_command(relay.key, True)
    await state_is(hass, RELAY, "on", within=1.0)
    other_client.switch_command(relay.key, False)
    await state_is(hass, RELAY, "off", within=1.0)


async def test_a_relay_keeps_its_state_over_a_power_cut(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """Switched here, cut off, back within seconds, and still on."""
    await add_meter(firmware.port)
    await state_is(hass, RELAY, "off")
    await hass.services.async_call(
        Platform.SWITCH, SERVICE_TURN_ON, {ATTR_ENTITY_ID: RELAY}, blocking=True
    )
    await state_is(hass, RELAY, "on", within=0.1)
    await hass.async_add_executor_job(firmware.stop)
    await state_is(hass, VOLTAGE, STATE_UNAVAILABLE, within=1.0)
    await state_is(hass, RELAY, STATE_UNAVAILABLE, within=1.0)
    await hass.async_add_executor_job(firmware.start)
    began = time.monotonic()
    await state_is(hass, RELAY, "on", within=5.0)
    await number(hass, "voltage_l1")
    assert time.monotonic() - began < 5.0


async def test_over_an_encrypted_link(
    hass: HomeAssistant, ask: Ask, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """Work with the meter's key, and refuse a missing or another key."""
    async with NoiseProxy(firmware.port, KEY) as proxy:
        assert "encrypts its connection" in sentence(await ask(proxy.port))
        assert "does not accept this" in sentence(await ask(proxy.port, OTHER_KEY))
        entry = await add_meter(proxy.port, KEY)
        assert 207 <= await number(hass, "voltage_l1") <= 253
        await state_is(hass, RELAY, "off")
        await hass.services.async_call(
            Platform.SWITCH, SERVICE_TURN_ON, {ATTR_ENTITY_ID: RELAY}, blocking=True
        )
        await state_is(hass, RELAY, "on", within=0.1)
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_a_key_for_firmware_that_does_not_encrypt(
    hass: HomeAssistant, ask: Ask, firmware: RunningFirmware
) -> None:
    """The real firmware's way of not understanding is understood."""
    form = await ask(firmware.port, KEY)
    assert sentence(form).startswith("The meter does not encrypt its connection.")

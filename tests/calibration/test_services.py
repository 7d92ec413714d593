"""A meter is calibrated from Home Assistant, and answers in the user's language."""

import asyncio
from collections.abc import Generator
from pathlib import Path
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.helpers.translation import async_get_exception_message
from homeassistant.setup import async_setup_component
import probatio as vol
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.issues.monitor import IssueMonitor
from nrj_tools.firmware import RunningFirmware
from nrj_tools.ports import free_port
from tests.conftest import AddMeter
from tests.support.device import DeviceServer
from tests.support.pace import patience

STEADY = """\
time,frequency,voltage_l1,voltage_l2,active_power_l1
0,50,230,0,2300
864000,50,230,0,2300
"""


NOT_YET = ("not_measured_yet", "voltage_not_steady")
"""Refusals of a meter that has just been started or changed."""


RIGHT = {"quantity": "voltage", "phase": 1, "value": 230}
"""A step that can be done."""


async def ask(hass: HomeAssistant, action: str, **data: Any) -> dict[str, Any]:
    """Run an action and return its response."""
    response = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )
    assert isinstance(response, dict)
    return dict(response)


@pytest.fixture
def firmware(
    firmware_program: Path, tmp_path: Path, socket_enabled: None
) -> Generator[RunningFirmware]:
    """Run the real firmware with a heater on L1, and nothing on L2."""
    recording = tmp_path / "heater.csv"
    recording.write_text(STEADY)
    environment = {"NRJ_RECORDING": str(recording)}
    with RunningFirmware(
        firmware_program, tmp_path, free_port(), environment
    ) as running:
        yield running


async def settled(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Calibrate once the meter has measured for two seconds."""
    async with asyncio.timeout(patience(15)):
        while True:
            try:
                return await ask(hass, "calibrate", **data)
            except ServiceValidationError as error:
                if error.translation_key not in NOT_YET:
                    raise
                await asyncio.sleep(0.3)


async def test_the_real_firmware_is_calibrated_in_french(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """A step, its undoing and refusals come in the words of the user's language."""
    hass.config.language = "fr"
    entry = await add_meter(firmware.port)
    done = await settled(hass, quantity="voltage", phase=1, value=232.3)
    assert done["code"] == "voltage_calibrated"
    assert done["values"]["phase"] == "L1"
    assert float(done["values"]["correction"]) == pytest.approx(1, abs=0.1)
    assert done["message"].startswith("Tension L1 : 2")
    assert (await ask(hass, "undo_calibration"))["code"] == "calibration_undone"
    assert (await settled(hass, quantity="voltage", phase="1", value=232.3))["message"]
    assert (await ask(hass, "reset_calibration"))["code"] == "calibration_reset"
    with pytest.raises(ServiceValidationError) as refused:
        await ask(hass, "reset_calibration")
    assert refused.value.translation_key == "nothing_to_reset"
    with pytest.raises(ServiceValidationError) as refused:
        await settled(hass, quantity="voltage", phase=2, value=230)
    assert refused.value.translation_key == "voltage_too_low"
    assert refused.value.translation_placeholders is not None
    assert refused.value.translation_placeholders["input"] == "V2"
    said = async_get_exception_message(
        DOMAIN, "voltage_too_low", refused.value.translation_placeholders
    )
    assert said.startswith("L2 has only 0.0 V")
    codes = entry.runtime_data.meter.texts
    async with asyncio.timeout(patience(10)):
        while not codes.get("calibration_codes", "").startswith("voltage_too_low"):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("quantity", "value"),
    [("voltage", 230.5), ("current", 8.25), ("power_factor", 0.5)],
)
async def test_each_quantity_has_its_action(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    quantity: str,
    value: float,
) -> None:
    """The meter is told phase and value, whichever the quantity."""
    action = f"calibrate_{quantity}"
    server.device.actions = {"calibrate_voltage": (True, ""), action: (True, "")}
    await add_meter(server.port)
    data = {"quantity": quantity, "phase": 3, "value": value}
    await hass.services.async_call(DOMAIN, "calibrate", data, blocking=True)
    assert server.ran == [(action, [3, value])]


@pytest.mark.parametrize(("name", "number"), [("l1", 1), ("l3", 3), ("neutral", 4)])
async def test_a_residual_current_is_nulled(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    name: str,
    number: int,
) -> None:
    """The meter is told the number of the input, and its code is said."""
    answer = "Done. [residual_nulled:input=IN,residual=0.050]"
    server.device.actions = {
        "calibrate_voltage": (True, ""),
        "null_residual_current": (True, answer),
    }
    await add_meter(server.port)
    done = await ask(hass, "null_residual_current", input=name)
    assert server.ran == [("null_residual_current", [number])]
    assert done["message"] == "Current at IN: a residual of 0.050 A is nulled."
    refusal = "No. [residual_too_large:input=I1,shown=8.000,maximum=0.211]"
    server.device.actions["null_residual_current"] = (False, refusal)
    with pytest.raises(ServiceValidationError) as refused:
        await ask(hass, "null_residual_current", input=name)
    assert refused.value.translation_key == "residual_too_large"
    with pytest.raises(vol.Invalid):
        await ask(hass, "null_residual_current", input="l4")


async def test_an_older_firmware_answers_in_its_own_words(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Sentences without codes are shown as they are."""
    server.device.actions = {
        "calibrate_voltage": (True, "Voltage L1: done."),
        "undo_calibration": (False, "There is nothing to undo."),
    }
    await add_meter(server.port)
    assert await ask(hass, "calibrate", quantity="voltage", phase=1, value=230) == {
        "message": "Voltage L1: done.",
        "code": None,
        "values": {},
    }
    with pytest.raises(ServiceValidationError) as refused:
        await ask(hass, "undo_calibration")
    assert refused.value.translation_key == "calibration_refused"
    assert refused.value.translation_placeholders == {
        "name": "NRJ Meter",
        "message": "There is nothing to undo.",
    }


async def test_a_meter_that_cannot_be_calibrated(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A meter without calibration is told from one without a link."""
    entry = await add_meter(server.port)
    with pytest.raises(ServiceValidationError) as refused:
        await ask(hass, "undo_calibration")
    assert refused.value.translation_key == "no_calibration"
    server.device.actions = {"calibrate_voltage": (True, "")}
    await hass.config_entries.async_reload(entry.entry_id)
    with pytest.raises(HomeAssistantError) as failed:
        await ask(hass, "undo_calibration")
    assert failed.value.translation_key == "calibration_link_down"


@pytest.mark.parametrize(
    "wrong",
    [
        {"phase": 0},
        {"phase": 4},
        {"quantity": "energy"},
        {"value": 0},
        {"value": -230},
        {"value": float("nan")},
        {"value": 1e6},
    ],
)
@pytest.mark.usefixtures("integration")
async def test_what_cannot_be_a_step_is_refused(
    hass: HomeAssistant, wrong: dict[str, Any]
) -> None:
    """What no instrument shows reaches no meter."""
    assert await async_setup_component(hass, DOMAIN, {})
    with pytest.raises(vol.Invalid):
        await ask(hass, "calibrate", **(RIGHT | wrong))


async def test_only_administrators_calibrate(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    hass_read_only_user: MockUser,
) -> None:
    """Refuse a user who may only read."""
    server.device.actions = {"calibrate_voltage": (True, "")}
    await add_meter(server.port)
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "undo_calibration",
            {},
            True,
            Context(user_id=hass_read_only_user.id),
        )


async def test_a_dropped_calibration_is_told_with_its_advice(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The issue says in the user's language why the calibration is not used."""
    hass.config.language = "fr"
    entry = await add_meter(server.port)
    meter = entry.runtime_data.meter
    meter.on_text("calibration_codes", "calibration_dropped")
    monitor: IssueMonitor = entry.runtime_data.issues
    advice = monitor.failed_checks()["dropped_calibration"]["advice"]
    assert advice.endswith("Étalonnez de nouveau.")
    meter.on_text("calibration_codes", "")
    assert "dropped_calibration" not in monitor.failed_checks()

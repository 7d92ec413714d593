"""The link between the meter and Home Assistant: lost, found again, and both ways."""

import asyncio
from collections.abc import Callable
import time

import pytest

from firmware_tests.meter_client import MeterClient
from firmware_tests.user_actions import call
from nrj_demo.house import House
from tests.end_to_end.conftest import ConnectMeter
from tests.support.pace import patience

pytestmark = pytest.mark.asyncio(loop_scope="package")

BACK_WITHIN = 10.0
"""Seconds from the start of the firmware to the first values."""

LOST_WITHIN = 12.0
"""Seconds until a meter that was switched off is missed."""

SWITCHED_WITHIN = 3.0


async def _states(house: House) -> dict[str, str]:
    """Return the states of the meter's own entities, by key."""
    states = {s["entity_id"]: s["state"] for s in await house.client.get("states")}
    return {
        key: states[id_]
        for key, id_ in house.meter.entity_ids.items()
        if id_.startswith(("sensor.", "switch."))
    }


async def _until(
    house: House, condition: Callable[[dict[str, str]], bool], seconds: float
) -> float:
    """Wait until the states fulfil `condition`, and return the seconds waited."""
    started = time.monotonic()
    while not condition(states := await _states(house)):
        if time.monotonic() - started > patience(seconds):
            pytest.fail(f"not within {patience(seconds):.0f} s: {states}")
        await asyncio.sleep(0.1)
    return time.monotonic() - started


@pytest.mark.parametrize("on", [True, False])
async def test_relay_switched_in_home_assistant(
    house: House, connect_meter: ConnectMeter, on: bool
) -> None:
    """Switch the meter's relay from Home Assistant."""
    async with connect_meter(house) as meter:
        await meter.wait(lambda: "relay_1" in meter.states)
        assert meter.is_on("relay_1") is not on
        await house.client.post(
            f"services/switch/turn_{'on' if on else 'off'}",
            {"entity_id": house.meter.entity_ids["relay_1"]},
        )
        await meter.wait(lambda: meter.is_on("relay_1") is on, SWITCHED_WITHIN)
        assert not meter.is_on("relay_2")
    assert (await _states(house))["relay_1"] == ("on" if on else "off")


@pytest.mark.parametrize("on", [True, False])
async def test_relay_switched_at_the_meter(
    house: House, connect_meter: ConnectMeter, on: bool
) -> None:
    """Show a relay switched at the meter in Home Assistant."""
    async with connect_meter(house) as meter:
        meter.set_switch("relay_2", on=on)
        wanted = "on" if on else "off"
        await _until(house, lambda s: s["relay_2"] == wanted, SWITCHED_WITHIN)
    assert (await _states(house))["relay_1"] == "off"


async def test_lost_and_found(house: House, connect_meter: ConnectMeter) -> None:
    """Make everything unavailable without the meter, and available with its return."""
    async with connect_meter(house) as meter:
        # What is counted later than that goes with the power.
        await call(meter, "simulate_flash_write", with_journal=True)
        await meter.new_values("import_energy", "voltage_l1", count=1)
    before = await _states(house)
    house.firmware.kill()
    await _until(house, lambda s: set(s.values()) == {"unavailable"}, LOST_WITHIN)
    await asyncio.to_thread(house.firmware.start)
    await _until(house, lambda s: "unavailable" not in s.values(), BACK_WITHIN)
    after = await _states(house)
    for key in ("import_energy", "import_energy_l1", "export_energy"):
        assert float(after[key]) >= float(before[key]) - 0.02
    assert abs(float(after["voltage_l1"]) - float(before["voltage_l1"])) < 10


async def test_restarts_are_followed(house: House, connect_meter: ConnectMeter) -> None:
    """Follow the meter through several restarts."""
    for _ in range(3):
        await asyncio.to_thread(house.firmware.stop)
        await asyncio.to_thread(house.firmware.start)
    await _until(house, lambda s: "unavailable" not in s.values(), BACK_WITHIN)
    async with connect_meter(house) as meter:
        assert await _follows(house, meter)


async def _follows(house: House, meter: MeterClient) -> bool:
    """Tell whether Home Assistant shows the voltage the meter says."""
    await meter.wait(lambda: meter.value("voltage_l1") > 0)
    await asyncio.sleep(2)
    shown = float((await _states(house))["voltage_l1"])
    return abs(shown - meter.value("voltage_l1")) < 1.0

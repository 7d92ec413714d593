"""Run the frequency guard of the real firmware on sagging grids."""

import asyncio
from functools import partial
from pathlib import Path
import time

from aioesphomeapi import (
    HomeassistantServiceCall,
    NumberState,
    SelectInfo,
    SelectState,
    TextSensorState,
)
import pytest

from custom_components.nrj_monitor.frequency_guard.guard_profile import PROFILES
from firmware_tests.conftest import RunMeter
from firmware_tests.meter_client import MeterClient, connected
from firmware_tests.user_actions import call

# An hour at each frequency: the place in the recording is the frequency.
FREQUENCIES = (50.0, 49.85, 49.7, 49.5, 49.1, 50.3)
HOUR = 3600.0
VOLTS = "230,230,230"


@pytest.fixture
def grid(tmp_path: Path) -> str:
    """Return a recording whose hours differ in frequency; the last has no voltage."""
    lines = ["time,frequency,voltage_l1,voltage_l2,voltage_l3"]
    for hour, frequency in enumerate(FREQUENCIES):
        lines.append(f"{hour * HOUR},{frequency},{VOLTS}")
        lines.append(f"{(hour + 1) * HOUR - 0.02},{frequency},{VOLTS}")
    end = len(FREQUENCIES) * HOUR
    lines += [f"{end},50,0,0,0", f"{end + HOUR},50,0,0,0"]
    path = tmp_path / "grid.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def go(meter: MeterClient, frequency: float) -> None:
    """Let the grid have a frequency from now on."""
    hour = FREQUENCIES.index(frequency)
    meter.set_number("simulation_position", hour * HOUR + 60)


def guard_state(meter: MeterClient) -> str:
    """Return the state the guard tells."""
    state = meter.states.get("guard_state")
    return state.state if isinstance(state, TextSensorState) else ""


def chosen(meter: MeterClient, name: str) -> str:
    """Return which option of a select is chosen."""
    state = meter.states.get(name)
    return state.state if isinstance(state, SelectState) else ""


def is_chosen(meter: MeterClient, name: str, option: str) -> bool:
    """Return whether an option of a select is chosen."""
    return chosen(meter, name) == option


def choose(meter: MeterClient, name: str, option: str) -> None:
    """Choose an option of a select."""
    info = meter.entities[name]
    assert isinstance(info, SelectInfo)
    meter.api.select_command(info.key, option)


async def guarding(meter: MeterClient) -> None:
    """Wait until the guard trusts the frequency, about ten seconds."""
    await meter.wait(lambda: guard_state(meter) == "normal", timeout=20)


async def test_loads_go_off_in_their_order_within_a_second(
    run_meter: RunMeter, grid: str
) -> None:
    """A deeper sag takes the next class off too; who is never shed stays."""
    async with connected(run_meter(NRJ_RECORDING=grid).port) as meter:
        calls: list[HomeassistantServiceCall] = []
        meter.api.subscribe_service_calls(calls.append)
        choose(meter, "relay_1_class", "shed_1")
        for relay in ("relay_1", "relay_2"):
            meter.set_switch(relay, on=True)
        await guarding(meter)
        assert meter.is_on("relay_1")
        go(meter, 49.7)
        asked = time.monotonic()
        await meter.wait(lambda: not meter.is_on("relay_1"), timeout=5)
        # The class sheds after 1 s below 49.8 Hz; the rest is this machine's.
        assert 0.9 <= time.monotonic() - asked < 2.5
        assert guard_state(meter) == "shed_1"
        go(meter, 49.1)
        await meter.wait(lambda: guard_state(meter) == "shed_3", timeout=5)
        assert meter.is_on("relay_2")
        await asyncio.sleep(0.2)
    told = [dict(call.data) for call in calls if call.service == "esphome.nrj_guard"]
    assert ("relay", "Relay 1", "0", "shed") in [
        (data["what"], data["relay"], data["on"], data["reason"]) for data in told
    ]
    states = [data["state"] for data in told if data["what"] == "state"]
    assert states.index("shed_1") < states.index("shed_3")


async def test_a_short_sag_switches_nothing(run_meter: RunMeter, grid: str) -> None:
    """Switch nothing for half a second below the first threshold."""
    async with connected(run_meter(NRJ_RECORDING=grid).port) as meter:
        choose(meter, "relay_1_class", "shed_1")
        meter.set_switch("relay_1", on=True)
        await guarding(meter)
        go(meter, 49.7)
        await asyncio.sleep(0.4)
        go(meter, 50.0)
        await asyncio.sleep(2)
        assert meter.is_on("relay_1")
        assert guard_state(meter) == "normal"


async def test_without_voltage_there_is_no_frequency(
    run_meter: RunMeter, grid: str
) -> None:
    """The relays stay as they are while nothing is known."""
    async with connected(run_meter(NRJ_RECORDING=grid).port) as meter:
        choose(meter, "relay_1_class", "shed_1")
        meter.set_switch("relay_1", on=True)
        await guarding(meter)
        meter.set_number("simulation_position", len(FREQUENCIES) * HOUR + 60)
        await meter.wait(lambda: guard_state(meter) == "invalid", timeout=5)
        await asyncio.sleep(1)
        assert meter.is_on("relay_1")


async def test_the_guard_acts_with_nobody_connected_and_remembers_its_settings(
    run_meter: RunMeter, grid: str
) -> None:
    """Shed without Home Assistant or network, and keep the classes over a restart."""
    firmware = run_meter(NRJ_RECORDING=grid)
    async with connected(firmware.port) as meter:
        choose(meter, "relay_1_class", "shed_2")
        choose(meter, "guard_profile", "great_britain_nordic")
        meter.set_switch("relay_1", on=True)
        await guarding(meter)
    firmware.stop()
    # It starts in a grid at 49.1 Hz, and nobody listens.
    firmware = run_meter(NRJ_RECORDING=grid, NRJ_START=str(4 * HOUR + 60))
    await asyncio.sleep(14)
    async with connected(firmware.port) as meter:
        await meter.wait(lambda: guard_state(meter) == "shed_3", timeout=5)
        assert not meter.is_on("relay_1")
        await meter.wait(lambda: chosen(meter, "relay_1_class") == "shed_2", timeout=5)
        await meter.wait(
            lambda: chosen(meter, "guard_profile") == "great_britain_nordic", timeout=5
        )


async def test_every_profile_and_class_offered_exists(
    run_meter: RunMeter, grid: str
) -> None:
    """Take each option that a select of the guard offers."""
    async with connected(run_meter(NRJ_RECORDING=grid).port) as meter:
        for name in ("guard_profile", "relay_1_class", "relay_2_class"):
            info = meter.entities[name]
            assert isinstance(info, SelectInfo)
            if name == "guard_profile":
                assert info.options == [*PROFILES, "custom"]
            for option in info.options:
                choose(meter, name, option)
                await meter.wait(partial(is_chosen, meter, name, option))


async def test_a_person_has_the_last_word(run_meter: RunMeter, grid: str) -> None:
    """Keep a shed relay on for a while after a person switched the relay on."""
    async with connected(run_meter(NRJ_RECORDING=grid).port) as meter:
        choose(meter, "relay_1_class", "shed_1")
        meter.set_switch("relay_1", on=True)
        await guarding(meter)
        go(meter, 49.5)
        await meter.wait(lambda: not meter.is_on("relay_1"), timeout=5)
        meter.set_switch("relay_1", on=True)
        await meter.wait(lambda: meter.is_on("relay_1"), timeout=5)
        await asyncio.sleep(1)
        assert meter.is_on("relay_1")


async def test_switched_off_the_guard_only_watches(
    run_meter: RunMeter, grid: str
) -> None:
    """Publish the guard's state and leave the relays alone while the guard is off."""
    async with connected(run_meter(NRJ_RECORDING=grid).port) as meter:
        choose(meter, "relay_1_class", "shed_1")
        meter.set_switch("relay_1", on=True)
        meter.set_switch("guard", on=False)
        await guarding(meter)
        go(meter, 49.1)
        await meter.wait(lambda: guard_state(meter) == "shed_3", timeout=5)
        await asyncio.sleep(0.5)
        assert meter.is_on("relay_1")


def number(meter: MeterClient, name: str) -> float:
    """Return the value of a number of the guard, or NaN."""
    state = meter.states.get(name)
    return state.state if isinstance(state, NumberState) else float("nan")


async def test_custom_thresholds_are_kept_and_used(
    run_meter: RunMeter, grid: str
) -> None:
    """Start the custom profile as the built-in profile, and refuse contradictory thresholds."""
    firmware = run_meter(NRJ_RECORDING=grid)
    async with connected(firmware.port) as meter:
        await meter.wait(
            lambda: abs(number(meter, "guard_shed_1_frequency") - 49.8) < 1e-3
        )
        await meter.wait(lambda: abs(number(meter, "guard_shed_1_delay") - 1.0) < 1e-3)
        choose(meter, "relay_1_class", "shed_1")
        choose(meter, "guard_profile", "custom")
        meter.set_number("guard_shed_1_frequency", 49.3)
        await asyncio.sleep(0.5)
        assert abs(number(meter, "guard_shed_1_frequency") - 49.8) < 1e-3, (
            "it would lie below the second stage"
        )
        meter.set_number("guard_shed_1_frequency", 49.88)
        meter.set_number("guard_shed_1_delay", 0.3)
        await meter.wait(lambda: abs(number(meter, "guard_shed_1_delay") - 0.3) < 1e-3)
        meter.set_switch("relay_1", on=True)
        await guarding(meter)
        go(meter, 49.85)
        asked = time.monotonic()
        await meter.wait(lambda: not meter.is_on("relay_1"), timeout=5)
        assert 0.25 <= time.monotonic() - asked < 1.8
    firmware.stop()
    async with connected(run_meter(NRJ_RECORDING=grid).port) as meter:
        await meter.wait(
            lambda: abs(number(meter, "guard_shed_1_frequency") - 49.88) < 1e-3
        )
        await meter.wait(lambda: chosen(meter, "guard_profile") == "custom", timeout=5)


async def test_changes_with_nobody_connected_are_reported_with_their_time(
    run_meter: RunMeter, grid: str
) -> None:
    """The latest changes are kept, and told to who asks: in order, with their age."""
    port = run_meter(NRJ_RECORDING=grid).port
    async with connected(port) as meter:
        await guarding(meter)
        go(meter, 49.1)
        await meter.wait(lambda: guard_state(meter) == "shed_3", timeout=5)
    await asyncio.sleep(1)
    calls: list[HomeassistantServiceCall] = []
    async with connected(port) as meter:
        meter.api.subscribe_service_calls(calls.append)
        await call(meter, "guard_events", after=0)
        await asyncio.sleep(0.5)
    told = [dict(one.data) for one in calls if one.service == "esphome.nrj_guard"]
    numbers = [int(data["number"]) for data in told]
    assert numbers == sorted(set(numbers))
    sheds = [data for data in told if data["state"] == "shed_3"]
    assert sheds
    assert 1000 <= int(sheds[0]["happened_ms_ago"]) < 20_000
    assert len({data["boot"] for data in told}) == 1


async def test_changes_outlive_a_restart(run_meter: RunMeter, grid: str) -> None:
    """Publish the guard's changes from before an orderly restart with their own times."""
    calls: list[HomeassistantServiceCall] = []

    def changes() -> list[dict[str, str]]:
        return [dict(one.data) for one in calls if one.service == "esphome.nrj_guard"]

    def sheds() -> list[dict[str, str]]:
        return [
            change
            for change in changes()
            if (change["state"], change["what"]) == ("shed_3", "state")
        ]

    firmware = run_meter(NRJ_RECORDING=grid)
    async with connected(firmware.port) as meter:
        meter.api.subscribe_service_calls(calls.append)
        await guarding(meter)
        go(meter, 49.1)
        await meter.wait(lambda: bool(sheds()), timeout=5)
    boot = sheds()[-1]["boot"]
    firmware.stop()
    calls.clear()
    await asyncio.sleep(2)
    async with connected(run_meter(NRJ_RECORDING=grid).port) as meter:
        meter.api.subscribe_service_calls(calls.append)
        await meter.new_values("frequency")
        await call(meter, "guard_events", after=0)
        await meter.wait(lambda: any(shed["boot"] == boot for shed in sheds()))
        await meter.wait(lambda: any(change["boot"] != boot for change in changes()))
    told = [shed for shed in sheds() if shed["boot"] == boot]
    assert len(told) == 1
    # A busy machine may leave the guard without readings for a moment before the shed.
    assert told[0]["reason"] in ("under_frequency", "valid_again")
    assert 2000 <= int(told[0]["happened_ms_ago"]) < 30_000

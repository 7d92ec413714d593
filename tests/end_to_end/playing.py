"""Steer the simulated chip's playback, and read Home Assistant's states."""

import asyncio
from collections.abc import Mapping
from math import isnan, nan

from firmware_tests.meter_client import MeterClient
from nrj_demo.house import House

SHOWN = 1.4
"""Seconds from the meter's telling until Home Assistant shows it: it writes a state of a
sensor once a second."""

SETTLING = 0.7
"""Seconds in which the chip's readings follow a jump of the signal to less than 0.1 %."""

# Home Assistant keeps a state for some seconds until the value has moved by a significant
# change; the meter itself is within 0.2 %.
VOLTAGE_TOLERANCE = 0.002
FREQUENCY_TOLERANCE = 0.006  # Hz
POWER_TOLERANCE = 0.012
VOLTAGE_STEP = 0.3
POWER_STEP = 3.0


async def hold_at(meter: MeterClient, second: float) -> None:
    """Hold the recording at `second` and wait until Home Assistant has the readings."""
    meter.set_number("simulation_position", second)
    await meter.wait(
        lambda: abs(meter.value_of_number("simulation_position") - second) < 0.01
    )
    await asyncio.sleep(SETTLING)
    # The first is a mean that may begin before.
    await meter.new_values("voltage_l1", "current_l1", count=2)
    await asyncio.sleep(SHOWN)


async def readings(house: House) -> Mapping[str, float]:
    """Return Home Assistant's states of the meter's quantities by key; NaN is unknown.

    The guard's sensors show words; what shows numbers says of which class they are.
    """
    states = {state["entity_id"]: state for state in await house.client.get("states")}
    return {
        key: number(states[entity_id]["state"])
        for key, entity_id in house.meter.entity_ids.items()
        if entity_id.startswith("sensor.")
        and "state_class" in states[entity_id]["attributes"]
    }


def number(state: str) -> float:
    """Return a state as a number; anything but a number or unknown is an error."""
    return nan if state == "unknown" else float(state)


def differs(shown: float, recorded: float, relative: float, absolute: float) -> bool:
    """Tell whether a state is off by more than both tolerances; NaN is like NaN."""
    if isnan(shown) or isnan(recorded):
        return isnan(shown) != isnan(recorded)
    return abs(shown - recorded) > max(relative * abs(recorded), absolute)

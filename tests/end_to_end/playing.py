"""Steering what the simulated chip plays, and reading what Home Assistant makes of it."""

import asyncio
from collections.abc import Mapping
from math import isnan, nan

from firmware_tests.meter_client import MeterClient
from nrj_demo.house import House

SETTLED = 2.6
"""Seconds until Home Assistant shows a held sample: the meter publishes each second
a mean over the last fifth of one, Home Assistant writes a state once a second."""

# Home Assistant keeps a state for some seconds until the value has moved by a significant
# change; the meter itself is within 0.2 %.
VOLTAGE_TOLERANCE = 0.002
FREQUENCY_TOLERANCE = 0.006  # Hz
POWER_TOLERANCE = 0.012
VOLTAGE_STEP = 0.3
POWER_STEP = 3.0


async def hold_at(meter: MeterClient, second: float) -> None:
    """Hold the recording at `second` and wait until Home Assistant has seen it."""
    meter.set_number("simulation_position", second)
    await asyncio.sleep(SETTLED)
    await meter.wait(
        lambda: abs(meter.value_of_number("simulation_position") - second) < 0.01
    )


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

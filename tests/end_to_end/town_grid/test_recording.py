"""Play a real blackout through the whole chain, and compare Home Assistant's states."""

import asyncio
from datetime import datetime
from math import isnan
import time
from typing import Any

import pytest

from nrj_demo.house import House
from tests.end_to_end.conftest import ConnectMeter
from tests.end_to_end.playing import (
    FREQUENCY_TOLERANCE,
    VOLTAGE_STEP,
    VOLTAGE_TOLERANCE,
    differs,
    hold_at,
    number,
    readings,
)
from tests.end_to_end.recordings import Recording
from tests.support.pace import patience

pytestmark = pytest.mark.asyncio(loop_scope="package")

NOMINAL_VOLTAGE = 230.0
VOLTAGES = ("voltage_l1", "voltage_l2", "voltage_l3")

FREQUENCY_VALID_ABOVE = 0.8
FREQUENCY_INVALID_BELOW = 0.2
"""Shares of the nominal voltage; between them the meter may do either."""

SAMPLES = {
    0: "the first sample",
    600: "the morning",
    1900: "slow oscillations",
    2500: "slow oscillations",
    2700: "the voltage rises",
    2790: "one minute before",
    2798: "the voltage leaves its band",
    2799: "the peak of the voltage",
    2800: "the frequency falls",
    2800.5: "between two samples",
    2801: "the voltage falls",
    2802: "the grid is gone",
    2803: "nothing is left",
    2900: "the frequency is bogus",
    3300: "some volts come back",
    3400: "some volts come back",
    3599: "the last sample",
}
"""Rows of the recording to look at, and what is there."""

PLAY_FROM = 2790
PLAY_TO = 2810
"""Rows: 12:33:00 to 12:33:40, the blackout itself."""

LATENCY = 1.3
"""Seconds a state may lag behind: a publication a second, a measuring window of a
fifth, and the way to Home Assistant."""


async def test_held_samples(
    house: House, recording: Recording, connect_meter: ConnectMeter
) -> None:
    """Show each held sample with its recorded values."""
    wrong: list[str] = []
    async with connect_meter(house) as meter:
        for row, what in SAMPLES.items():
            second = 2.0 * row
            await hold_at(meter, second)
            shown = await readings(house)
            for name in VOLTAGES:
                recorded = recording.at(name, second)
                if differs(shown[name], recorded, VOLTAGE_TOLERANCE, VOLTAGE_STEP):
                    wrong.append(f"{what}: {name} {shown[name]}, recorded {recorded}")
            recorded = recording.at("frequency", second)
            share = _share(recording, second)
            if share >= FREQUENCY_VALID_ABOVE:
                if differs(shown["frequency"], recorded, 0.0, FREQUENCY_TOLERANCE):
                    wrong.append(f"{what}: {shown['frequency']} Hz, not {recorded} Hz")
            elif share < FREQUENCY_INVALID_BELOW and not isnan(shown["frequency"]):
                wrong.append(f"{what}: {shown['frequency']} Hz without a voltage")
            # Nothing is connected behind this meter.
            if shown["active_power"] != 0 or shown["current_l1"] > 0.005:
                wrong.append(
                    f"{what}: {shown['active_power']} W, {shown['current_l1']} A"
                )
    assert not wrong


async def test_gaps_are_unknown(
    house: House, recording: Recording, connect_meter: ConnectMeter
) -> None:
    """Where the recording has no measurement, Home Assistant shows none."""
    measured = ("voltage", "current", "power", "frequency")
    async with connect_meter(house) as meter:
        for row in recording.gaps()[:2]:
            await hold_at(meter, recording.second_of(row))
            gap = await readings(house)
            await hold_at(meter, recording.second_of(row + 1))
            after = await readings(house)
            assert not {
                key: value
                for key, value in gap.items()
                if any(word in key for word in measured) and not isnan(value)
            }
            assert abs(after["voltage_l1"] - NOMINAL_VOLTAGE) < 15


async def test_played_live(
    house: House, recording: Recording, connect_meter: ConnectMeter
) -> None:
    """Write only states true within the last moments while the recording plays."""
    keys = {house.meter.entity_ids[key]: key for key in (*VOLTAGES, "frequency")}
    written: list[dict[str, Any]] = []
    start, end = recording.second_of(PLAY_FROM), recording.second_of(PLAY_TO)
    async with connect_meter(house) as meter:
        await hold_at(meter, start)
        await house.client.subscribe(
            lambda event: (
                written.append(event["data"]["new_state"])
                if event["data"]["entity_id"] in keys
                else None
            ),
            "subscribe_events",
            event_type="state_changed",
        )
        started = time.time()
        meter.set_number("simulation_speed", 1.0)
        await asyncio.sleep(end - start)
        meter.set_number("simulation_speed", 0.0)
        took = time.time() - started
        await asyncio.sleep(1.5)
        played = meter.value_of_number("simulation_position") - start
    # The clock the states are held against is the one the recording was played by.
    assert played == pytest.approx(took, abs=0.2)

    wrong: list[str] = []
    for state in written:
        key = keys[state["entity_id"]]
        shown = number(state["state"])
        seen = start + _timestamp(state) - started
        window = (max(seen - patience(LATENCY), start), min(max(seen, start), end))
        low, high = recording.range(key, *window)
        if key == "frequency":
            shares = [_share(recording, second) for second in window]
            if min(shares) < FREQUENCY_VALID_ABOVE and isnan(shown):
                continue
            margin = FREQUENCY_TOLERANCE
        else:
            margin = max(VOLTAGE_TOLERANCE * high, VOLTAGE_STEP)
        if not low - margin <= shown <= high + margin:
            wrong.append(f"{seen:.2f} s: {key} {shown}, was {low:.3f} to {high:.3f}")
    assert not wrong
    by_key = {
        key: [s for s in written if keys[s["entity_id"]] == key]
        for key in keys.values()
    }
    # Not by staying silent: the blackout was seen, on every phase, as it happened.
    for key in VOLTAGES:
        assert len(by_key[key]) >= 10
        assert number(by_key[key][-1]["state"]) < 1.0
    lowest = min(
        value for s in by_key["frequency"] if not isnan(value := number(s["state"]))
    )
    assert lowest < 49.0
    assert by_key["frequency"][-1]["state"] == "unknown"


def _share(recording: Recording, second: float) -> float:
    """Return the share of the nominal voltage at a second of the recording."""
    voltages = [recording.at(name, second) for name in VOLTAGES]
    return sum(voltages) / len(voltages) / NOMINAL_VOLTAGE


def _timestamp(state: dict[str, Any]) -> float:
    """Return when Home Assistant wrote a state, Unix seconds."""
    return datetime.fromisoformat(state["last_updated"]).timestamp()

"""Drive recorded events through the real firmware, and time its relays."""

import asyncio
import csv
from pathlib import Path
import time

from aioesphomeapi import HomeassistantServiceCall, SelectInfo

from firmware_tests.conftest import RunMeter
from firmware_tests.meter_client import MeterClient, connected
from nrj_tools import ROOT
from tests.support.skips import skip_for_good

from .test_frequency_guard import guard_state

DATA = ROOT.parent / "shared" / "data"
TOLEDO = DATA / "iberia_2025_04_28_toledo" / "toledo_data.csv"
GENERATION_LOSS = DATA / "us_pmu_30fps" / "Grid_Info_data_artificial_inertia.csv"

FALLING = 5598.0
"""Seconds into the recording of the last sample above 49.9 Hz, 12:33:18."""
DEAD = 5604.0
"""Seconds at which the voltage is below 80 % of nominal, 12:33:24."""


def present(path: Path) -> Path:
    """Return a recording's path; skip where the file is missing."""
    if not path.exists():
        skip_for_good(f"the recording {path.name} is not in ../shared/data")
    return path


def choose(meter: MeterClient, name: str, option: str) -> None:
    """Choose an option of a select."""
    info = meter.entities[name]
    assert isinstance(info, SelectInfo)
    meter.api.select_command(info.key, option)


class GuardChanges:
    """Collect the guard's changes with their positions in the recording."""

    def __init__(self, meter: MeterClient, start: float) -> None:
        """Listen to a meter at position `start` s of its recording."""
        self._began = time.monotonic() - start
        self.events: list[tuple[float, dict[str, str]]] = []
        meter.api.subscribe_service_calls(self._on_call)

    def _on_call(self, call: HomeassistantServiceCall) -> None:
        if call.service == "esphome.nrj_guard":
            position = time.monotonic() - self._began
            self.events.append((position, dict(call.data)))

    def states(self) -> list[str]:
        """Return the states in their order."""
        return [data["state"] for _, data in self.events if data["what"] == "state"]

    def switched(self, relay: str) -> list[tuple[float, str]]:
        """Return each switching of a relay: position (s) and new state."""
        return [
            (position, data["on"])
            for position, data in self.events
            if data["relay"] == relay
        ]


async def test_the_iberian_blackout(run_meter: RunMeter) -> None:
    """The loads are off before the voltage is gone, and stay off on bogus frequencies."""
    start = FALLING - 22.0
    firmware = run_meter(NRJ_RECORDING=str(present(TOLEDO)), NRJ_START=str(start))
    async with connected(firmware.port) as meter:
        changes = GuardChanges(meter, start)
        choose(meter, "relay_1_class", "shed_1")
        choose(meter, "relay_2_class", "shed_3")
        for relay in ("relay_1", "relay_2"):
            meter.set_switch(relay, on=True)
        await meter.wait(lambda: guard_state(meter) == "normal", timeout=20)
        await meter.wait(lambda: not meter.is_on("relay_2"), timeout=20)
        await meter.wait(lambda: guard_state(meter) == "invalid", timeout=15)
        await asyncio.sleep(0.5)
        assert not meter.is_on("relay_1")
        for relay in ("Relay 1", "Relay 2"):
            ((position, on),) = changes.switched(relay)
            assert on == "0"
            # The firmware starts a moment before the test begins to count.
            assert FALLING < position < DEAD + 1
        assert changes.states()[-2:] == ["shed_3", "invalid"]
        # Minutes of 40 to 47 Hz at nearly no voltage, seen from several places.
        for minutes in (5, 12, 20):
            meter.set_number("simulation_position", DEAD + 60 * minutes)
            await asyncio.sleep(3)
            assert guard_state(meter) == "invalid"
            assert not meter.is_on("relay_1")
            assert not meter.is_on("relay_2")


async def test_a_loss_of_generation(run_meter: RunMeter, tmp_path: Path) -> None:
    """Two stages in a grid of 60 Hz, each in time, and nothing comes back too soon."""
    path = tmp_path / "loss.csv"
    below: dict[float, float] = {}
    with (
        present(GENERATION_LOSS).open(newline="") as file,
        path.open("w") as out,
    ):
        out.write("time,frequency,voltage_l1\n")
        for row in csv.DictReader(file):
            seconds, hertz = float(row["Time"]), float(row["Bus1.F"])
            volts = float(row["Bus1.V"]) * 230.0 / 543.0
            out.write(f"{seconds},{hertz},{volts}\n")
            for threshold in (59.9, 59.8):
                if hertz >= threshold and seconds < 71:
                    below[threshold] = seconds
    start = below[59.9] - 18.0
    firmware = run_meter(NRJ_RECORDING=str(path), NRJ_START=str(start))
    async with connected(firmware.port) as meter:
        changes = GuardChanges(meter, start)
        choose(meter, "guard_profile", "north_america")
        choose(meter, "relay_1_class", "shed_1")
        choose(meter, "relay_2_class", "shed_2")
        for relay in ("relay_1", "relay_2"):
            meter.set_switch(relay, on=True)
        await meter.wait(lambda: guard_state(meter) == "normal", timeout=20)
        await meter.wait(lambda: not meter.is_on("relay_2"), timeout=20)
        await asyncio.sleep(6)
        ((first, _),) = changes.switched("Relay 1")
        ((second, _),) = changes.switched("Relay 2")
        # In the signal's own time the reaction is measured in C++; here the clocks of two
        # programs are apart by what the firmware takes to start, and the thresholds of
        # this device by its spread.
        assert 0.2 < first - below[59.9] < 1.0 + 1.5
        assert 0.0 < second - below[59.8] < 0.5 + 1.5
        assert not meter.is_on("relay_1")
        assert guard_state(meter) == "shed_2"

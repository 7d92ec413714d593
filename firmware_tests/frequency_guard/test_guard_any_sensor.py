"""The guard without the meter's chip: any frequency and voltage sensor, as on a plug."""

import asyncio
from math import isnan
from pathlib import Path
import re

import pytest
import yaml

from firmware_tests.configurations import COMPONENTS, FOLDER, esphome
from firmware_tests.meter_client import MeterClient, connected
from nrj_tools.firmware import RunningFirmware
from nrj_tools.ports import free_port

from .test_frequency_guard import choose, guard_state

NAME = "guarded"


def template(kind: str, name: str, state: str) -> dict[str, object]:
    """Return a sensor with the value of a number, ten times a second."""
    return {
        "platform": "template",
        "id": f"{kind}_l1",
        "name": name,
        "update_interval": "100ms",
        "accuracy_decimals": 3,
        "lambda": f"!lambda if (id(silent).state) return {{}}; return id({state}).state;",
    }


def entered(identifier: str, name: str, low: float, high: float) -> dict[str, object]:
    """Return a number for a test to set."""
    return {
        "platform": "template",
        "id": identifier,
        "name": name,
        "optimistic": True,
        "min_value": low,
        "max_value": high,
        "step": 0.001,
        "initial_value": {"given_hertz": 50, "given_volts": 230}[identifier],
    }


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Build the plug's guard for this computer, over test-driven sensors."""
    folder = tmp_path_factory.mktemp("guarded")
    port = free_port()
    configuration = {
        "packages": {
            "base": f"!include {FOLDER}/packages/base.yaml",
            "guard": f"!include {FOLDER}/packages/frequency-guard-plug.yaml",
        },
        "substitutions": {"name": NAME, "components": str(COMPONENTS)},
        "host": {"mac_address": "02:4e:52:4a:00:03"},
        "api": {"port": port},
        "number": [
            entered("given_hertz", "Hertz", 40, 70),
            entered("given_volts", "Volts", 0, 400),
        ],
        "sensor": [
            template("voltage", "Voltage L1", "given_volts"),
            template("frequency", "Frequency L1", "given_hertz"),
        ],
        "switch": [
            {
                "platform": "template",
                "id": "relay_1",
                "name": "Relay 1",
                "optimistic": True,
            },
            {
                "platform": "template",
                "id": "silent",
                "name": "Silent",
                "optimistic": True,
            },
        ],
        "frequency_guard": {"start_delay": "1s"},
    }
    path = folder / f"{NAME}.yaml"
    text = yaml.safe_dump(configuration, width=1000)
    path.write_text(re.sub(r"'(![^']*)'", r"\1", text))
    result = esphome("compile", path, data=folder / "data")
    assert result.returncode == 0, result.stdout + result.stderr
    (program,) = [
        found
        for found in (folder / "data/build" / NAME).rglob("program")
        if found.is_file()
    ]
    return program, port


async def is_normal(plug: MeterClient) -> None:
    """Wait until the guard believes the frequency."""
    await plug.wait(lambda: guard_state(plug) == "normal", timeout=10)


async def test_a_plug_sheds_on_its_own_sensors(
    guarded: tuple[Path, int], tmp_path: Path
) -> None:
    """Shed on a plug's own sensors, without the meter's chip."""
    program, port = guarded
    with RunningFirmware(program, tmp_path, port):
        async with connected(port) as plug:
            choose(plug, "relay_1_class", "shed_1")
            plug.set_switch("relay_1", on=True)
            await is_normal(plug)
            plug.set_number("hertz", 49.7)
            await plug.wait(lambda: not plug.is_on("relay_1"), timeout=3)
            assert guard_state(plug) == "shed_1"


async def test_a_plug_does_nothing_on_a_frequency_without_voltage(
    guarded: tuple[Path, int], tmp_path: Path
) -> None:
    """Ignore a frequency without voltage, and a single wrong value."""
    program, port = guarded
    with RunningFirmware(program, tmp_path, port):
        async with connected(port) as plug:
            choose(plug, "relay_1_class", "shed_1")
            plug.set_switch("relay_1", on=True)
            await is_normal(plug)
            plug.set_number("hertz", 47.0)
            await asyncio.sleep(0.12)
            plug.set_number("hertz", 50.0)
            await asyncio.sleep(1.5)
            assert plug.is_on("relay_1")
            plug.set_number("volts", 20.0)
            plug.set_number("hertz", 47.0)
            await plug.wait(lambda: guard_state(plug) == "invalid", timeout=3)
            await asyncio.sleep(1.5)
            assert plug.is_on("relay_1")


async def test_a_silent_sensor_shows_unknown(
    guarded: tuple[Path, int], tmp_path: Path
) -> None:
    """Forget the last frequency and voltage of a source that fell silent, until it speaks again."""
    program, port = guarded
    with RunningFirmware(program, tmp_path, port):
        async with connected(port) as plug:
            await is_normal(plug)
            assert plug.value("voltage_l1") == 230.0
            plug.set_switch("silent", on=True)
            await plug.wait(
                lambda: (
                    isnan(plug.value("frequency_l1"))
                    and isnan(plug.value("voltage_l1"))
                ),
                timeout=6,
            )
            assert guard_state(plug) == "invalid"
            plug.set_switch("silent", on=False)
            await is_normal(plug)
            assert plug.value("frequency_l1") == 50.0
            assert plug.value("voltage_l1") == 230.0

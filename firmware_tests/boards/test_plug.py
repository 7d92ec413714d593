"""The plug's firmware with ESPHome's own driver and a metering chip that can fall silent."""

import asyncio
from math import isnan
from pathlib import Path

import pytest

from firmware_tests.configurations import COMPONENTS, FOLDER, esphome
from firmware_tests.frequency_guard.test_frequency_guard import guard_state
from firmware_tests.meter_client import MeterClient, connected
from firmware_tests.metering_chip import on_serial_line
from nrj_tools.firmware import RunningFirmware
from nrj_tools.ports import free_port

NAME = "plugged"
CONFIGURATION = """
packages:
  base: !include FOLDER/packages/base.yaml
  measurements: !include FOLDER/packages/plug-bl0942.yaml
  guard: !include FOLDER/packages/frequency-guard-plug.yaml
substitutions: {name: plugged, components: COMPONENTS}
host: {mac_address: "02:4e:52:4a:00:04"}
loopback_only:
api: {port: PORT}
uart: {id: chip_uart, port: LINE, baud_rate: 4800}
switch:
  - {platform: template, id: relay_1, name: Relay 1, optimistic: true}
frequency_guard: {start_delay: 1s}
"""
MEASURED = {
    "voltage_l1": 230.0,
    "current_l1": 2.0,
    "active_power_l1": 460.0,
    "active_power": 460.0,
    "frequency_l1": 50.0,
    "frequency": 50.0,
}


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, Path]:
    """Build the plug for this computer, with the chip on a serial line: program, port, line."""
    folder = tmp_path_factory.mktemp("plugged")
    port = free_port()
    # ESPHome takes the path of a port in a folder of the root only.
    line = Path("/tmp") / f"nrj-metering-chip-{port}"  # noqa: S108
    path = folder / f"{NAME}.yaml"
    text = CONFIGURATION.replace("FOLDER", str(FOLDER))
    text = text.replace("COMPONENTS", str(COMPONENTS)).replace("PORT", str(port))
    path.write_text(text.replace("LINE", str(line)))
    result = esphome("compile", path, data=folder / "data")
    assert result.returncode == 0, result.stdout + result.stderr
    (program,) = [
        found
        for found in (folder / "data/build" / NAME).rglob("program")
        if found.is_file()
    ]
    return program, port, line


def shows(plug: MeterClient, expected: dict[str, float]) -> bool:
    """Whether the plug shows these values, to a thousandth."""
    return all(
        plug.value(name) == pytest.approx(value, rel=1e-3)
        for name, value in expected.items()
    )


async def test_a_silent_chip_leaves_nothing_but_the_counted_energy(
    plugged: tuple[Path, int, Path], tmp_path: Path
) -> None:
    """Show unknown within seconds instead of old values, keep the total, and come back with the chip."""
    program, port, line = plugged
    with on_serial_line(line) as chip, RunningFirmware(program, tmp_path, port):
        async with connected(port) as plug:
            await plug.wait(lambda: shows(plug, MEASURED))
            await plug.wait(lambda: guard_state(plug) == "normal", timeout=10)
            counted = plug.value("import_energy_l1")
            assert counted > 0
            chip.silent = True
            await plug.wait(
                lambda: all(isnan(plug.value(name)) for name in MEASURED), timeout=8
            )
            assert guard_state(plug) == "invalid"
            await asyncio.sleep(1.5)
            assert plug.value("import_energy_l1") == plug.value("import_energy")
            assert plug.value("import_energy_l1") == counted
            chip.silent = False
            await plug.wait(lambda: shows(plug, MEASURED), timeout=5)
            await plug.wait(lambda: guard_state(plug) == "normal", timeout=10)

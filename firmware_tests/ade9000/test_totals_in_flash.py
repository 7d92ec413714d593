"""The totals of the real firmware after damage to its flash."""

from collections.abc import Callable, Iterator
from math import isnan
from pathlib import Path
import struct

import pytest

from firmware_tests.conftest import RunMeter
from firmware_tests.meter_client import connected

COPY = 128
"""Bytes of a copy of the totals of active energy."""


@pytest.fixture
def steady(tmp_path: Path) -> str:
    """Return a recording in which L1 draws for ten days."""
    path = tmp_path / "steady.csv"
    path.write_text("time,voltage_l1,active_power_l1\n0,230,2000\n864000,230,2000\n")
    return str(path)


def records(flash: bytes) -> Iterator[tuple[int, int]]:
    """Yield place and length of each record's value in the host's preferences."""
    at = 0
    while at < len(flash):
        _, length = struct.unpack_from("<IB", flash, at)
        yield at + 5, length
        at += 5 + length


def copies(flash: bytes) -> list[int]:
    """Return the places of the copies of the totals of active energy."""
    return [at for at, length in records(flash) if length == COPY]


def flipped(copy: int) -> Callable[[bytes], bytes]:
    """Return a function to flip a bit of L1's import in a copy."""

    def flip(flash: bytes) -> bytes:
        damaged = bytearray(flash)
        damaged[copies(flash)[copy] + 4] ^= 0x40
        return bytes(damaged)

    return flip


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a flipped bit in the first copy": flipped(0),
    "a flipped bit in the second copy": flipped(1),
    "half of the file": lambda flash: flash[: len(flash) // 2],
    "all but the first copy": lambda flash: flash[: copies(flash)[0] + COPY],
}


async def shown(port: int) -> float:
    """Return the first total of L1 that a meter shows, kWh."""
    async with connected(port) as meter:
        await meter.wait(lambda: not isnan(meter.value("import_energy_l1")))
        return meter.value("import_energy_l1")


async def test_no_damage_changes_the_totals(
    run_meter: RunMeter, steady: str, tmp_path: Path
) -> None:
    """Show after each damage what was counted before it, and count on."""
    firmware = run_meter(NRJ_RECORDING=steady, NRJ_SPEED="1000")
    async with connected(firmware.port) as meter:
        await meter.wait(lambda: meter.value("import_energy_l1") > 0.03)
        meter.set_number("simulation_speed", 0)
        await meter.wait(lambda: meter.value_of_number("simulation_speed") == 0)
        await meter.new_values("import_energy_l1", count=5)
        counted = meter.value("import_energy_l1")
    firmware.stop()
    (flash,) = firmware.folder.glob("*.prefs")
    whole = flash.read_bytes()
    assert len(copies(whole)) == 2
    for name, damage in DAMAGES.items():
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        (folder / flash.name).write_bytes(damage(whole))
        firmware = run_meter(folder.name, NRJ_RECORDING=steady, NRJ_SPEED="0")
        assert await shown(firmware.port) == pytest.approx(counted, abs=2e-6), name
        firmware.stop()

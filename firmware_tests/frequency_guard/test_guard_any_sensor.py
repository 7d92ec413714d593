"""The guard without the meter's chip: any frequency and voltage sensor, as on a plug."""

import asyncio
from math import isnan
from pathlib import Path

from firmware_tests.guarded_plug import GuardedPlugs
from firmware_tests.meter_client import MeterClient, connected

from .test_frequency_guard import choose, guard_state


async def is_normal(plug: MeterClient) -> None:
    """Wait until the guard believes the frequency."""
    await plug.wait(lambda: guard_state(plug) == "normal", timeout=10)


async def test_a_plug_sheds_on_its_own_sensors(
    guarded_plugs: GuardedPlugs, tmp_path: Path
) -> None:
    """Shed on a plug's own sensors, without the meter's chip."""
    with guarded_plugs.running("", tmp_path) as port:
        async with connected(port) as plug:
            choose(plug, "relay_1_class", "shed_1")
            plug.set_switch("relay_1", on=True)
            await is_normal(plug)
            plug.set_number("hertz", 49.7)
            await plug.wait(lambda: not plug.is_on("relay_1"), timeout=3)
            assert guard_state(plug) == "shed_1"


async def test_a_plug_does_nothing_on_a_frequency_without_voltage(
    guarded_plugs: GuardedPlugs, tmp_path: Path
) -> None:
    """Ignore a frequency without voltage, and a single wrong value."""
    with guarded_plugs.running("", tmp_path) as port:
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
    guarded_plugs: GuardedPlugs, tmp_path: Path
) -> None:
    """Forget the last frequency and voltage of a source that fell silent, until it speaks again."""
    with guarded_plugs.running("", tmp_path) as port:
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

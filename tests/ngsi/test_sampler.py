"""One sample an interval, with the time of its latest reading, and none without news."""

import asyncio
import time
from typing import Any

import pytest

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.meter import Meter
from custom_components.nrj_monitor.ngsi import sampler as sampler_module
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.sampler import Sampler
from custom_components.nrj_monitor.sources import MeterDescription, Source

VOLTAGE, POWER = CHANNELS["voltage_l1"], CHANNELS["active_power"]


class NoSource(Source):
    """A source that tells nothing by itself."""

    async def run(self, listener: Any) -> None:
        """Do nothing."""

    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        """Do nothing."""


@pytest.fixture
def meter() -> Meter:
    """Return a meter that tells what the test says."""
    description = MeterDescription(
        mac="aa",
        name="m",
        manufacturer="",
        model="",
        hardware="",
        software="",
        channels=(VOLTAGE, POWER),
        relays=(),
    )
    made = Meter(NoSource(), description)
    made.on_connected(description)
    return made


def tell(meter: Meter, voltage: float | None, power: float) -> float:
    """Have the meter measure; return when."""
    meter.on_reading(VOLTAGE, voltage)
    meter.on_reading(POWER, power)
    return time.time()


async def test_a_sample_has_the_time_of_its_reading_not_of_the_interval(
    meter: Meter,
) -> None:
    """And what is no measurement is not in it."""
    taken: list[Sample] = []
    sampler = Sampler(meter, (VOLTAGE, POWER), 0.1, taken.append)
    told_at = tell(meter, 230.0, 500.0)
    sampler.start()
    await asyncio.sleep(0.3)
    # Told once, taken once, though two intervals have passed.
    assert [sample.values for sample in taken] == [
        {"voltage_l1": 230.0, "active_power": 500.0}
    ]
    assert abs(taken[0].time / 1000 - told_at) < 0.1
    told_at = tell(meter, None, 600.0)
    await asyncio.sleep(0.3)
    assert taken[1].values == {"active_power": 600.0}
    assert abs(taken[1].time / 1000 - told_at) < 0.05
    assert len(taken) == 2
    sampler.stop()
    sampler.stop()
    tell(meter, 231.0, 700.0)
    await asyncio.sleep(0.2)
    assert len(taken) == 2


async def test_a_meter_without_a_link_gives_no_samples(
    meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing known of it is current."""
    monkeypatch.setattr(sampler_module, "SLACK", 0.0)
    taken: list[Sample] = []
    sampler = Sampler(meter, (VOLTAGE, POWER), 0.05, taken.append)
    sampler.start()
    tell(meter, 230.0, 500.0)
    meter.on_disconnected()
    await asyncio.sleep(0.15)
    sampler.stop()
    assert taken == []

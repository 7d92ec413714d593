"""Sampling: once an interval, at the time of the latest reading, only when new."""

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
    """Source without readings."""

    async def run(self, listener: Any) -> None:
        """Do nothing."""

    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        """Do nothing."""


@pytest.fixture
def meter() -> Meter:
    """Return a meter without a running source."""
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


def measure(meter: Meter, voltage: float | None, power: float) -> float:
    """Publish a measurement of the meter; return its time."""
    meter.on_reading(VOLTAGE, voltage)
    meter.on_reading(POWER, power)
    return time.time()


async def test_a_sample_has_the_time_of_its_reading_not_of_the_interval(
    meter: Meter,
) -> None:
    """Take the time of the latest reading, and no unknown reading."""
    samples: list[Sample] = []
    sampler = Sampler(meter, (VOLTAGE, POWER), 0.1, samples.append)
    measured_at = measure(meter, 230.0, 500.0)
    sampler.start()
    await asyncio.sleep(0.3)
    # One reading is sampled once, though two intervals have passed.
    assert [sample.values for sample in samples] == [
        {"voltage_l1": 230.0, "active_power": 500.0}
    ]
    assert abs(samples[0].time / 1000 - measured_at) < 0.1
    measured_at = measure(meter, None, 600.0)
    await asyncio.sleep(0.3)
    assert samples[1].values == {"active_power": 600.0}
    assert abs(samples[1].time / 1000 - measured_at) < 0.05
    assert len(samples) == 2
    sampler.stop()
    sampler.stop()
    measure(meter, 231.0, 700.0)
    await asyncio.sleep(0.2)
    assert len(samples) == 2


async def test_a_meter_without_a_link_gives_no_samples(
    meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take no sample without a current reading."""
    monkeypatch.setattr(sampler_module, "SLACK", 0.0)
    samples: list[Sample] = []
    sampler = Sampler(meter, (VOLTAGE, POWER), 0.05, samples.append)
    sampler.start()
    measure(meter, 230.0, 500.0)
    meter.on_disconnected()
    await asyncio.sleep(0.15)
    sampler.stop()
    assert samples == []

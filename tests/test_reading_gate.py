"""A wrong reading is no reading, whichever source it comes from."""

import logging

from homeassistant.core import HomeAssistant
import pytest

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.meter import Meter
from custom_components.nrj_monitor.reading_gate import ReadingGate
from tests.backfill.journal_meter import DESCRIPTION, JournalMeter

IMPORT = CHANNELS["import_energy"]


def believed(
    readings: list[tuple[float, float]], gate: ReadingGate | None = None
) -> list[float]:
    """Return the believed of totals at times."""
    gate = gate or ReadingGate()
    return [value for now, value in readings if gate.believes(IMPORT, value, now)]


@pytest.mark.parametrize(
    ("before", "after"), [(3.737, 3.746), (1234.5, 1234.6), (0.02, 0.03)]
)
def test_zero_for_seconds_adds_nothing(before: float, after: float) -> None:
    """A meter of another make has restarted."""
    zeros = [(float(second), 0.0) for second in range(10, 40, 5)]
    assert believed([(0, before), *zeros, (41, after)]) == [before, after]


def test_zero_after_a_restart_of_home_assistant_adds_nothing() -> None:
    """The last total is stored."""
    gate = ReadingGate()
    gate.restore(IMPORT, 1234.5)
    assert believed([(0, 0.0), (5, 0.0), (8, 1240.0)], gate) == [1240.0]


def test_count_that_grows_from_zero_is_believed_at_once() -> None:
    """A counter of the day begins anew, or a meter was replaced."""
    assert believed([(0, 12.3), (10, 0.0), (20, 0.001)]) == [12.3, 0.001]


def test_fall_that_lasts_is_believed() -> None:
    """Nothing is fed in at midnight, and the counter of the day stays at zero."""
    assert believed([(0, 12.3), (10, 0.0), (40, 0.0), (71, 0.0), (80, 0.0)]) == [
        12.3,
        0.0,
        0.0,
    ]
    assert believed([(0, 110.0), (300, 105.0), (600, 105.5)]) == [110.0, 105.5]


def test_meter_with_a_journal_is_believed_at_once() -> None:
    """It tells nothing before its totals are restored."""
    assert believed([(0, 5000.0), (1, 0.0)], ReadingGate(believes_falls=True)) == [
        5000.0,
        0.0,
    ]


def test_leap_is_believed_once_it_lasts() -> None:
    """No meter measures that much in so short a time; another meter can be there."""
    leap = [(second, 9000.0 + second / 1000) for second in range(10, 90, 10)]
    assert believed([(0, 50.0), (5, 60_000.0), (8, 50.1)]) == [50.0, 50.1]
    assert believed([(0, 50.0), *leap])[:2] == [50.0, pytest.approx(9000.07)]


@pytest.mark.parametrize("value", [3.4e38, -3.4e38, 1e12, -5.0, 1e300, float("nan")])
@pytest.mark.parametrize("channel_id", ["import_energy", "voltage_l1", "frequency_l1"])
async def test_impossible_reading_reaches_nobody(
    hass: HomeAssistant,
    caplog: pytest.LogCaptureFixture,
    value: float,
    channel_id: str,
) -> None:
    """It is counted, and logged once however often it comes."""
    channel = CHANNELS[channel_id]
    meter = Meter(JournalMeter(), DESCRIPTION)
    meter.on_connected(DESCRIPTION)
    meter.on_reading(channel, 50.0)
    meter._publish_snapshot()
    told: list[float | None] = []
    meter.async_add_reading_listener(channel, lambda value, now: told.append(value))
    for _ in range(100):
        meter.on_reading(channel, value)
        meter._publish_snapshot()
    assert set(told) <= {None}
    assert meter.gate.refusals[channel_id].count == 100
    warnings = [
        record for record in caplog.records if record.levelno >= logging.WARNING
    ]
    assert len(warnings) == 1
    meter.on_reading(channel, 50.1)
    meter._publish_snapshot()
    assert told[-1] == 50.1


def test_every_quantity_has_limits() -> None:
    """Those of energies are of the unit of time too, as only a power is known."""
    for channel in CHANNELS.values():
        limits = channel.quantity.limits
        assert limits.low < limits.high
        assert (limits.rate is None) == ("energy" not in channel.id)

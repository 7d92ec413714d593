"""Fixtures of the backfill: a recorder, and an energy sensor with missing hours."""

from homeassistant.core import HomeAssistant
import pytest

from tests.backfill.recorder_statistics import add_sensor, metadata, record_hours


@pytest.fixture
def recorder(recorder_mock: object) -> None:
    """Run a recorder, which must start before Home Assistant."""


@pytest.fixture
async def energy(hass: HomeAssistant) -> str:
    """Return an energy sensor without hours 1 to 4, whose energy is all in hour 5."""
    id_ = add_sensor(hass, "import_energy")
    await record_hours(
        hass,
        metadata(id_, "kWh", "energy", has_sum=True),
        {0: {"state": 102.0, "sum": 12.0}, 5: {"state": 112.0, "sum": 22.0}},
    )
    return id_

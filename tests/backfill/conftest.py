"""A recorder, and a total with an outage in it."""

from homeassistant.core import HomeAssistant
import pytest

from tests.backfill.recorded import add_sensor, metadata, record_hours


@pytest.fixture
def recorder(recorder_mock: object) -> None:
    """Run a recorder: it must be there before Home Assistant is."""


@pytest.fixture
async def energy(hass: HomeAssistant) -> str:
    """Return a total of which four hours are missing and the fifth has it all."""
    id_ = add_sensor(hass, "import_energy")
    await record_hours(
        hass,
        metadata(id_, "kWh", "energy", has_sum=True),
        {0: {"state": 102.0, "sum": 12.0}, 5: {"state": 112.0, "sum": 22.0}},
    )
    return id_

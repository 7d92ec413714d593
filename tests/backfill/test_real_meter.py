"""The journal of a real firmware reaches Home Assistant over a real link."""

from aioesphomeapi.client import APIClient
from homeassistant.core import HomeAssistant
import pytest

from custom_components.nrj_monitor.backfill.services import BACKFILL
from custom_components.nrj_monitor.const import DOMAIN
from nrj_tools.firmware import RunningFirmware
from tests.conftest import AddMeter


@pytest.fixture(autouse=True)
def recorder(recorder_mock: object) -> None:
    """Run a recorder, which must start before Home Assistant."""


async def advance(firmware: RunningFirmware, seconds: float) -> None:
    """Advance the simulated time of the meter by so many seconds."""
    client = APIClient("127.0.0.1", firmware.port, None)
    await client.connect(login=True)
    _, services = await client.list_entities_services()
    action = next(
        service for service in services if service.name == "simulate_time_passing"
    )
    await client.execute_service(action, {"seconds": seconds})
    await client.device_info()
    await client.disconnect()


async def test_action_downloads_the_whole_journal(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """All pages come, although another client asked first, and no hour is missing."""
    await advance(firmware, 2 * 3600)
    await add_meter(firmware.port)
    response = await hass.services.async_call(
        DOMAIN, BACKFILL, {"dry_run": True}, blocking=True, return_response=True
    )
    assert response is not None
    assert response["journal_from"] is not None
    assert response["journal_until"] is not None
    assert response["hours"] == 0

"""A real firmware's journal reaches Home Assistant over the real link."""

from aioesphomeapi.client import APIClient
from homeassistant.core import HomeAssistant
import pytest

from custom_components.nrj_monitor.backfill.services import HEAL_HISTORY
from custom_components.nrj_monitor.const import DOMAIN
from nrj_demo.firmware import RunningFirmware
from tests.conftest import AddMeter


@pytest.fixture(autouse=True)
def recorder(recorder_mock: object) -> None:
    """Run a recorder: it must be there before Home Assistant is."""


async def let_pass(firmware: RunningFirmware, seconds: float) -> None:
    """Let simulated time pass for the meter."""
    client = APIClient("127.0.0.1", firmware.port, None)
    await client.connect(login=True)
    _, services = await client.list_entities_services()
    action = next(one for one in services if one.name == "simulate_time_passing")
    await client.execute_service(action, {"seconds": seconds})
    await client.device_info()
    await client.disconnect()


async def test_the_action_tells_what_the_meter_has(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """All pages come, whichever client asked first, and nothing is to be filled in."""
    await let_pass(firmware, 2 * 3600)
    await add_meter(firmware.port)
    told = await hass.services.async_call(
        DOMAIN, HEAL_HISTORY, {"dry_run": True}, blocking=True, return_response=True
    )
    assert told is not None
    assert told["journal_from"] is not None
    assert told["journal_until"] is not None
    assert told["hours"] == 0

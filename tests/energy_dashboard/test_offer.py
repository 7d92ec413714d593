"""The offer at the end of a set-up: the meter in the energy dashboard."""

from typing import Any

from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.recorder.core import Recorder
from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest

from custom_components.nrj_monitor.const import CONF_ADD_TO_ENERGY, DOMAIN
from tests.conftest import HOST
from tests.support.device import DeviceServer

GRID = "sensor.nrj_meter_import_energy"


async def up_to_the_offer(hass: HomeAssistant, port: int) -> ConfigFlowResult:
    """Add a meter up to the last question."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    for answers in ({"next_step_id": "native"}, {CONF_HOST: HOST, CONF_PORT: port}):
        form = await hass.config_entries.flow.async_configure(menu["flow_id"], answers)
    assert form["step_id"] == "finish"
    return form


async def answer(
    hass: HomeAssistant, form: ConfigFlowResult, **answers: Any
) -> ConfigFlowResult:
    """Answer the last question."""
    result = await hass.config_entries.flow.async_configure(form["flow_id"], answers)
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert CONF_ADD_TO_ENERGY not in result["result"].data
    return result


async def imports(hass: HomeAssistant) -> list[str]:
    """Return the grid imports in the energy dashboard."""
    manager = await async_get_manager(hass)
    return [
        source["stat_energy_from"]
        for source in (manager.data or {"energy_sources": []})["energy_sources"]
        if source["type"] == "grid" and source["stat_energy_from"] is not None
    ]


@pytest.fixture
async def dashboard(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    """Start the energy dashboard, empty."""
    assert await async_setup_component(hass, "energy", {})


@pytest.mark.usefixtures("dashboard", "unloaded")
async def test_a_yes_adds_the_meter(hass: HomeAssistant, server: DeviceServer) -> None:
    """In an empty dashboard it is the default."""
    await answer(hass, await up_to_the_offer(hass, server.port))
    assert await imports(hass) == [GRID]


@pytest.mark.usefixtures("dashboard", "unloaded")
async def test_a_no_adds_nothing(hass: HomeAssistant, server: DeviceServer) -> None:
    """A person decides."""
    form = await up_to_the_offer(hass, server.port)
    await answer(hass, form, **{CONF_ADD_TO_ENERGY: False})
    assert await imports(hass) == []


@pytest.mark.usefixtures("dashboard", "unloaded")
async def test_a_grid_that_is_there_is_not_doubled_unasked(
    hass: HomeAssistant, server: DeviceServer
) -> None:
    """Two meters of one connection would count everything twice."""
    first = await up_to_the_offer(hass, server.port)
    await answer(hass, first, **{CONF_ADD_TO_ENERGY: True})
    server.device.mac = "02:4E:52:4A:00:08"
    await answer(hass, await up_to_the_offer(hass, server.port))
    assert await imports(hass) == [GRID]


@pytest.mark.usefixtures("dashboard", "unloaded")
async def test_the_offer_is_taken_once(
    hass: HomeAssistant, server: DeviceServer
) -> None:
    """What a person takes out of the dashboard later stays out."""
    result = await answer(hass, await up_to_the_offer(hass, server.port))
    manager = await async_get_manager(hass)
    nothing: Any = {"energy_sources": []}
    await manager.async_update(nothing)
    assert await hass.config_entries.async_reload(result["result"].entry_id)
    await hass.async_block_till_done()
    assert await imports(hass) == []


@pytest.mark.usefixtures("unloaded")
async def test_a_yes_without_a_dashboard_is_said_in_the_log(
    hass: HomeAssistant, server: DeviceServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The meter works all the same."""
    form = await up_to_the_offer(hass, server.port)
    await answer(hass, form, **{CONF_ADD_TO_ENERGY: True})
    assert "NRJ Meter was not added to the energy dashboard" in caplog.text

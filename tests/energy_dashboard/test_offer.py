"""Offer at the end of a set-up to add the meter to the energy dashboard."""

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


async def open_offer(hass: HomeAssistant, port: int) -> ConfigFlowResult:
    """Run the config flow of a meter up to the offer."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    for answers in ({"next_step_id": "native"}, {CONF_HOST: HOST, CONF_PORT: port}):
        form = await hass.config_entries.flow.async_configure(menu["flow_id"], answers)
    assert form["step_id"] == "finish"
    return form


async def submit(
    hass: HomeAssistant, form: ConfigFlowResult, **answers: Any
) -> ConfigFlowResult:
    """Submit the form of the offer."""
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
    """Set up an empty energy dashboard."""
    assert await async_setup_component(hass, "energy", {})


@pytest.mark.usefixtures("dashboard", "unloaded")
async def test_accepted_offer_adds_the_meter(
    hass: HomeAssistant, server: DeviceServer
) -> None:
    """In an empty dashboard the default is to add the meter."""
    await submit(hass, await open_offer(hass, server.port))
    assert await imports(hass) == [GRID]


@pytest.mark.usefixtures("dashboard", "unloaded")
async def test_refused_offer_adds_nothing(
    hass: HomeAssistant, server: DeviceServer
) -> None:
    """The dashboard stays empty."""
    form = await open_offer(hass, server.port)
    await submit(hass, form, **{CONF_ADD_TO_ENERGY: False})
    assert await imports(hass) == []


@pytest.mark.usefixtures("dashboard", "unloaded")
async def test_present_grid_connection_changes_the_default(
    hass: HomeAssistant, server: DeviceServer
) -> None:
    """Two meters of a connection would count all energy twice."""
    first = await open_offer(hass, server.port)
    await submit(hass, first, **{CONF_ADD_TO_ENERGY: True})
    server.device.mac = "02:4E:52:4A:00:08"
    await submit(hass, await open_offer(hass, server.port))
    assert await imports(hass) == [GRID]


@pytest.mark.usefixtures("dashboard", "unloaded")
async def test_offer_is_applied_once(hass: HomeAssistant, server: DeviceServer) -> None:
    """A source removed later by a person is not added again."""
    result = await submit(hass, await open_offer(hass, server.port))
    manager = await async_get_manager(hass)
    nothing: Any = {"energy_sources": []}
    await manager.async_update(nothing)
    assert await hass.config_entries.async_reload(result["result"].entry_id)
    await hass.async_block_till_done()
    assert await imports(hass) == []


@pytest.mark.usefixtures("unloaded")
async def test_accepted_offer_without_a_dashboard_is_logged(
    hass: HomeAssistant, server: DeviceServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The meter is set up without the energy dashboard."""
    form = await open_offer(hass, server.port)
    await submit(hass, form, **{CONF_ADD_TO_ENERGY: True})
    assert "NRJ Meter was not added to the energy dashboard" in caplog.text

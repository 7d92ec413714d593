"""Language models query the supply with Home Assistant's tools."""

from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import entity_registry as er, llm
import pytest

from custom_components.nrj_monitor.const import CONF_MAIN_FUSE, DOMAIN
from custom_components.nrj_monitor.llm import async_get_tools
from tests.conftest import AddMeter
from tests.support.assist import async_set_up_assist, expose
from tests.support.device import DeviceServer
from tests.support.states import state_is

SENSORS: dict[str, float | None] = {
    "Voltage L1": 231.0,
    "Voltage L2": 205.0,
    "Current L1": 1.5,
    "Current L2": 17.5,
    "Active power L1": 250.0,
    "Active power L2": 3750.0,
    "Active power": 4000.0,
    "Frequency": 50.0,
}

GRID, POWER, LOAD = (
    f"{DOMAIN}__{query}" for query in ("grid_stability", "power_use", "phase_load")
)


async def tools(
    hass: HomeAssistant, assistant: str = "conversation"
) -> llm.APIInstance:
    """Return the API for a language model of an assistant."""
    context = llm.LLMContext(
        platform="a_model",
        context=Context(),
        language="en",
        assistant=assistant,
        device_id=None,
    )
    return await llm.async_get_api(hass, llm.LLM_API_ASSIST, context)


def meter_tools(api: llm.APIInstance) -> list[str]:
    """Return the names of this integration's tools."""
    return sorted(tool.name for tool in api.tools if tool.integration == DOMAIN)


async def call(api: llm.APIInstance, name: str) -> dict[str, Any]:
    """Return the result of a tool for the only meter."""
    result = await api.async_call_tool(llm.ToolInput(tool_name=name, tool_args={}))
    assert not result.error
    meters: Any = result.data["meters"]
    (result_of_meter,) = meters.values()
    assert list(meters) == ["NRJ Meter"]
    return dict(result_of_meter)


@pytest.fixture
async def house(hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer) -> Any:
    """Return the entry of a meter in a house with Assist."""
    server.device.sensors = dict(SENSORS)
    await async_set_up_assist(hass, "en")
    entry = await add_meter(server.port)
    await state_is(hass, "sensor.nrj_meter_active_power", "4000.0")
    return entry


async def test_tools_return_the_results_of_the_voice_queries(
    hass: HomeAssistant, house: Any
) -> None:
    """Results of the three queries have values, limits and units."""
    api = await tools(hass)
    assert meter_tools(api) == sorted([GRID, LOAD, POWER])
    grid = await call(api, GRID)
    assert grid["verdict"] == "disturbed"
    assert grid["frequency_hz"] == 50.0
    assert grid["problems"] == [
        {"problem": "voltage_low", "phase": "L2", "value": 205.0, "limit": 207.0}
    ]
    power = await call(api, POWER)
    assert power["grid_power_w"] == 4000.0
    assert power["heaviest_phase"] == "L2"
    assert power["relays_on"] == ["Relay 2"]
    load = await call(api, LOAD)
    assert load["current_a"] == {"L1": 1.5, "L2": 17.5}
    assert not load["main_fuse_known"]
    assert load["overloaded_phases"] == []
    hass.config_entries.async_update_entry(house, options={CONF_MAIN_FUSE: 16.0})
    assert (await call(api, LOAD))["overloaded_phases"] == ["L2"]


async def test_tools_keep_to_home_assistants_rules(
    hass: HomeAssistant, house: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Tools only read, have descriptions, and cause no warnings in the log."""
    api = await tools(hass)
    for tool in api.tools:
        if tool.integration == DOMAIN:
            assert tool.annotations.read_only
            assert not tool.annotations.destructive
            assert tool.title
            assert tool.description
            await call(api, tool.name)
    assert f"'{DOMAIN}__'" not in caplog.text
    assert "deprecated" not in caplog.text


async def test_meter_without_exposed_entities_has_no_tools(
    hass: HomeAssistant, house: Any
) -> None:
    """A meter hidden from Assist is hidden from its language models."""
    for entity in er.async_entries_for_config_entry(er.async_get(hass), house.entry_id):
        er.async_get(hass).async_update_entity_options(
            entity.entity_id, "conversation", {"should_expose": False}
        )
    assert meter_tools(await tools(hass)) == []
    expose(hass, "sensor.nrj_meter_frequency")
    assert GRID in meter_tools(await tools(hass))


async def test_other_apis_and_assistants_get_no_tools(
    hass: HomeAssistant, house: Any
) -> None:
    """The tools are offered in Assist's API only."""
    assert meter_tools(await tools(hass, assistant="")) == []
    context = (await tools(hass)).llm_context
    assert async_get_tools(hass, context, "another_api") is None


async def test_tool_of_an_offline_meter_returns_an_error(
    hass: HomeAssistant, house: Any, server: DeviceServer
) -> None:
    """A meter without a link has no old readings in its result."""
    await server.stop()
    await state_is(hass, "sensor.nrj_meter_active_power", "unavailable")
    assert await call(await tools(hass), GRID) == {
        "error": "The meter cannot be reached"
    }

"""A contract that bills the mean of a quarter hour, from the options to the sensors."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from math import ceil
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.demand import manager as demand_manager
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from tests.conftest import AddMeter
from tests.support.device import DeviceServer
from tests.support.states import state_is, state_where

START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC).timestamp()

type Draw = Callable[..., Awaitable[None]]


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time of the clock, s since 1970, as the only item of a list."""
    now = [START]
    monkeypatch.setattr(demand_manager, "clock", lambda: now[0])
    return now


async def configure(
    hass: HomeAssistant, entry: NrjConfigEntry, **options: Any
) -> dict[str, Any]:
    """Fill in the options of a meter, and wait for its reload."""
    form = await hass.config_entries.options.async_init(entry.entry_id)
    result = await hass.config_entries.options.async_configure(form["flow_id"], options)
    await hass.async_block_till_done()
    return dict(result)


@pytest.fixture
async def billed(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, wall: list[float]
) -> NrjConfigEntry:
    """Return a meter with a contract of 2.5 kW for the mean of a quarter hour."""
    server.device.sensors = {"Active power": 1000.0, "Import energy": 12.5}
    entry = await add_meter(server.port)
    await configure(hass, entry, contract=2.5, contract_tolerance="quarter_hour")
    await state_is(hass, "sensor.nrj_meter_active_power", "1000.0")
    assert entry.runtime_data.demand is not None
    entry.runtime_data.demand.async_update()
    return entry


@pytest.fixture
def draw(
    hass: HomeAssistant,
    billed: NrjConfigEntry,
    server: DeviceServer,
    wall: list[float],
) -> Draw:
    """Return a function to let the house draw a power, W, for some seconds.

    Its counter counts what is drawn, or `counted` kWh.
    """

    async def run(power: float, seconds: float, counted: float | None = None) -> None:
        meter = billed.runtime_data.meter
        begin, before = wall[0], server.device.sensors["Import energy"] or 0.0
        gain = power * seconds / 3.6e6 if counted is None else counted
        parts = ceil(seconds / 30.0)
        for part in range(1, parts + 1):
            wall[0] = begin + seconds * part / parts
            total = round(before + gain * part / parts, 3)
            server.measure(active_power=power, import_energy=total)
            while meter.snapshot.get(CHANNELS["import_energy"]) != pytest.approx(total):
                await hass.async_block_till_done()
            demand = billed.runtime_data.demand
            assert demand is not None
            demand.async_update()
        await hass.async_block_till_done()

    return run


def shown(hass: HomeAssistant, what: str) -> float:
    """Return the state of a sensor of the demand, kW."""
    state = hass.states.get(f"sensor.nrj_meter_{what}")
    assert state is not None
    return float(state.state)


async def test_the_sensors_of_a_quarter_hour(
    hass: HomeAssistant, draw: Draw, billed: NrjConfigEntry
) -> None:
    """Mean so far, expected mean, room, and the peak of the month with its time."""
    assert hass.states.is_state("sensor.nrj_meter_peak_demand_of_the_month", "unknown")
    await draw(1000.0, 300)
    assert shown(hass, "demand_so_far") == pytest.approx(1.0, abs=0.02)
    await draw(4000.0, 300)
    assert shown(hass, "demand_so_far") == pytest.approx(2.5, abs=0.02)
    assert shown(hass, "expected_demand") == pytest.approx(3.0, abs=0.02)
    # 0.5 kW of a quarter hour too much, in the 300 s that are left.
    assert shown(hass, "room_in_the_demand") == pytest.approx(-1.5, abs=0.06)
    room = hass.states.get("sensor.nrj_meter_room_in_the_demand")
    assert room is not None
    assert room.attributes["limit"] == 2.5
    assert room.attributes["unit_of_measurement"] == "kW"
    await draw(1000.0, 301)
    assert shown(hass, "peak_demand_of_the_month") == pytest.approx(2.0, abs=0.02)
    peak = hass.states.get("sensor.nrj_meter_peak_demand_of_the_month")
    assert peak is not None
    began = datetime.fromisoformat(peak.attributes["time"])
    assert began.timestamp() == START


async def test_the_import_counter_counts_and_not_the_power(
    hass: HomeAssistant, draw: Draw
) -> None:
    """The energy used so far is that of the counter."""
    await draw(1000.0, 600, counted=0.5)
    assert shown(hass, "demand_so_far") == pytest.approx(3.0, abs=0.02)
    assert shown(hass, "expected_demand") == pytest.approx(7 / 3, abs=0.02)


async def test_the_peak_survives_a_restart(
    hass: HomeAssistant,
    billed: NrjConfigEntry,
    draw: Draw,
    server: DeviceServer,
    wall: list[float],
) -> None:
    """Peak and interval go on after a reload; the counter has what was used meanwhile."""
    await draw(3000.0, 900)
    await draw(1000.0, 300)
    assert await hass.config_entries.async_unload(billed.entry_id)
    wall[0] += 300
    known = server.device.sensors["Import energy"] or 0.0
    server.device.sensors["Import energy"] = known + 0.25
    assert await hass.config_entries.async_setup(billed.entry_id)
    await state_where(
        hass,
        "sensor.nrj_meter_demand_so_far",
        lambda state: state.state not in ("unknown", "unavailable"),
    )
    await draw(1000.0, 1)
    demand = billed.runtime_data.demand
    assert demand is not None
    assert demand.account.used == pytest.approx(1000 / 12 + 250, abs=3)
    assert shown(hass, "peak_demand_of_the_month") == pytest.approx(3.0, abs=0.02)


async def test_the_limit_follows_the_month(
    hass: HomeAssistant, billed: NrjConfigEntry, draw: Draw
) -> None:
    """No higher than the peak of the month, no lower than its floor."""
    result = await configure(
        hass, billed, contract_tolerance="quarter_hour", follows_peak=True
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await state_is(hass, "sensor.nrj_meter_active_power", "1000.0")
    await draw(1000.0, 10)
    demand = billed.runtime_data.demand
    assert demand is not None
    assert demand.limit_power == 2500.0
    await draw(3000.0, 890)
    await draw(3000.0, 901)
    assert demand.limit_power == pytest.approx(3000.0, abs=20)
    await configure(
        hass,
        billed,
        contract=4,
        contract_tolerance="quarter_hour",
        follows_peak=True,
        peak_floor=3.5,
    )
    demand = billed.runtime_data.demand
    assert demand is not None
    assert demand.limit_power == 3500.0


async def test_only_a_mean_has_a_peak_to_follow(
    hass: HomeAssistant, billed: NrjConfigEntry
) -> None:
    """The form says so at the field, and keeps what was filled in."""
    result = await configure(
        hass, billed, contract=4, contract_tolerance="strict", follows_peak=True
    )
    assert result["errors"] == {"follows_peak": "peak_of_no_mean"}
    assert billed.options["contract_tolerance"] == "quarter_hour"


async def test_a_mean_without_a_limit_is_only_shown(
    hass: HomeAssistant, billed: NrjConfigEntry, draw: Draw
) -> None:
    """Without contract and peak to follow there is no room to tell."""
    await configure(hass, billed, contract_tolerance="hour")
    await state_is(hass, "sensor.nrj_meter_active_power", "1000.0")
    await draw(2000.0, 600)
    assert shown(hass, "demand_so_far") == pytest.approx(2.0, abs=0.02)
    assert hass.states.is_state("sensor.nrj_meter_room_in_the_demand", "unknown")


async def test_another_contract_has_no_demand(
    hass: HomeAssistant, billed: NrjConfigEntry
) -> None:
    """The sensors are those of a contract that bills a mean."""
    await configure(hass, billed, contract=4, contract_tolerance="strict")
    assert billed.runtime_data.demand is None
    assert hass.states.is_state("sensor.nrj_meter_demand_so_far", "unavailable")


async def test_what_is_stored_goes_with_the_meter(
    hass: HomeAssistant,
    billed: NrjConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    """The file is removed with the entry."""
    key = f"nrj_monitor.demand.{billed.entry_id}"
    assert await hass.config_entries.async_unload(billed.entry_id)
    assert key in hass_storage
    await hass.config_entries.async_remove(billed.entry_id)
    assert key not in hass_storage
    assert billed.state is ConfigEntryState.NOT_LOADED


async def test_a_link_that_is_down_hides_all_but_the_peak(
    hass: HomeAssistant, billed: NrjConfigEntry, draw: Draw
) -> None:
    """The peak of the month is what it was."""
    await draw(3000.0, 901)
    billed.runtime_data.meter.on_disconnected()
    assert hass.states.is_state("sensor.nrj_meter_demand_so_far", "unavailable")
    assert shown(hass, "peak_demand_of_the_month") == pytest.approx(3.0, abs=0.02)

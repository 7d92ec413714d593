"""What is wrong with a meter is said, with what to do, and goes when it is done."""

import asyncio
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aioesphomeapi.client import APIClient
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownHandler
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.issues import monitor as watch_module
from custom_components.nrj_monitor.issues.checks import (
    CHECKS,
    EnergyCounters,
    Facts,
    find,
)
from custom_components.nrj_monitor.repairs import async_create_fix_flow
from nrj_demo.firmware import RunningFirmware, free_port
from tests.conftest import AddMeter
from tests.support.device import KEY, DeviceServer
from tests.support.states import state_is

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def networked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the loopback for a network in which others could listen."""
    monkeypatch.setattr(watch_module, "in_network", lambda data: True)


def issues(hass: HomeAssistant) -> set[str]:
    """Return what is said to be wrong."""
    return {
        issue.translation_key or ""
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.active
    }


async def said(hass: HomeAssistant, key: str, is_so: bool = True) -> None:
    """Wait until an issue is there, or is gone."""
    async with asyncio.timeout(10):
        while (key in issues(hass)) is not is_so:
            await asyncio.sleep(0.05)


async def open_fix(hass: HomeAssistant, key: str) -> dict[str, Any]:
    """Open the dialogue of an issue."""
    assert await async_setup_component(hass, "repairs", {})
    issue = next(
        issue
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.translation_key == key
    )
    manager = repairs_flow_manager(hass)
    assert manager is not None
    return dict(await manager.async_init(DOMAIN, data={"issue_id": issue.issue_id}))


async def submit(hass: HomeAssistant, form: dict[str, Any]) -> dict[str, Any]:
    """Say that it is done."""
    manager = repairs_flow_manager(hass)
    assert manager is not None
    return dict(await manager.async_configure(form["flow_id"], {}))


async def act(firmware: RunningFirmware, action: str, **arguments: Any) -> None:
    """Run a user action of the firmware."""
    client = APIClient("127.0.0.1", firmware.port, None)
    await client.connect(login=True)
    _, services = await client.list_entities_services()
    service = next(item for item in services if item.name == action)
    await client.execute_service(service, arguments)
    await client.disconnect()


@pytest.mark.usefixtures("networked")
async def test_a_meter_without_encryption_says_so(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Everybody in the network can switch it."""
    await add_meter(server.port)
    await said(hass, "not_encrypted")
    form = await submit(hass, await open_fix(hass, "not_encrypted"))
    assert form["errors"] == {"base": "still_there"}


@pytest.mark.usefixtures("networked")
async def test_a_meter_that_has_gone_is_not_taken_for_repaired(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Without the link nothing is known; without the entry there is nothing to repair."""
    entry = await add_meter(server.port)
    await said(hass, "not_encrypted")
    form = await open_fix(hass, "not_encrypted")
    await server.stop()
    async with asyncio.timeout(10):
        while entry.runtime_data.meter.connected:
            await asyncio.sleep(0.05)
    assert (await submit(hass, form))["errors"] == {"base": "link_down"}
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await submit(hass, form)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_there"


async def test_an_encrypted_meter_has_nothing_to_repair(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """With a key and a firmware of today nothing is said."""
    server.device.key = KEY
    await add_meter(server.port, KEY)
    assert issues(hass) == set()


async def test_old_firmware_is_said_until_it_is_updated(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The issue goes with the update."""
    monkeypatch.setattr(watch_module, "MINIMUM_FIRMWARE", "0.2.0")
    entry = await add_meter(server.port)
    await said(hass, "old_firmware")
    server.device.project_version = "0.2.0"
    await hass.config_entries.async_reload(entry.entry_id)
    await said(hass, "old_firmware", is_so=False)


async def test_a_counter_that_went_back_is_said_until_a_person_knows(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The totals before and after stand in the issue."""
    await add_meter(server.port)
    server.measure(import_energy=12.6)
    await asyncio.sleep(0.5)
    server.measure(import_energy=3.0)
    await said(hass, "energy_gone_back")
    form = await open_fix(hass, "energy_gone_back")
    assert (
        "import_energy: 12.600 → 3.000 kWh"
        in (form["description_placeholders"]["totals"])
    )
    result = await submit(hass, form)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "energy_gone_back" not in issues(hass)


STEADY = """\
time,frequency,voltage_l1,voltage_l2,voltage_l3,active_power_l1,active_power_l2,active_power_l3
0,50,230,230,230,2300,1150,1800
864000,50,230,230,230,2300,1150,1800
"""


@pytest.fixture
def heaters(
    firmware_program: Path, tmp_path: Path, socket_enabled: None
) -> Generator[RunningFirmware]:
    """Run the real firmware with a heater on each phase."""
    recording = tmp_path / "heaters.csv"
    recording.write_text(STEADY)
    environment = {"NRJ_RECORDING": str(recording)}
    with RunningFirmware(
        firmware_program, tmp_path, free_port(), environment
    ) as running:
        yield running


async def test_a_reversed_transformer_is_found_and_repaired(
    hass: HomeAssistant, add_meter: AddMeter, heaters: RunningFirmware
) -> None:
    """The meter's check says what to swap; once it is swapped, the issue goes."""
    await act(heaters, "simulate_current_wiring", pins=0, line=0, factor=-1.0)
    await add_meter(heaters.port)
    await asyncio.sleep(2)
    await act(heaters, "check_wiring")
    await said(hass, "wrong_wiring")
    form = await open_fix(hass, "wrong_wiring")
    assert "I1" in form["description_placeholders"]["advice"]
    form = await submit(hass, form)
    assert form["errors"] == {"base": "still_there"}
    await act(heaters, "simulate_current_wiring", pins=0, line=0, factor=1.0)
    await asyncio.sleep(2)
    result = await submit(hass, form)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "wrong_wiring" not in issues(hass)


async def test_a_meter_that_is_away_can_not_be_looked_at(
    hass: HomeAssistant, add_meter: AddMeter, heaters: RunningFirmware
) -> None:
    """The dialogue says that the meter does not answer, and stays open."""
    await act(heaters, "simulate_current_wiring", pins=0, line=0, factor=-1.0)
    await add_meter(heaters.port)
    await asyncio.sleep(2)
    await act(heaters, "check_wiring")
    await said(hass, "wrong_wiring")
    form = await open_fix(hass, "wrong_wiring")
    await asyncio.to_thread(heaters.stop)
    await asyncio.sleep(0.5)
    assert (await submit(hass, form))["errors"] == {"base": "link_down"}
    assert "wrong_wiring" in issues(hass)


async def test_an_issue_of_a_meter_that_is_gone_can_not_be_opened(
    hass: HomeAssistant, integration: None
) -> None:
    """Home Assistant says so instead of failing."""
    with pytest.raises(UnknownHandler):
        await async_create_fix_flow(
            hass, "old", {"entry_id": "gone", "finding": "old_firmware"}
        )


@pytest.mark.usefixtures("networked")
async def test_removing_a_meter_removes_its_issues(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Nothing is said of a meter that is gone."""
    entry = await add_meter(server.port)
    await said(hass, "not_encrypted")
    await hass.config_entries.async_remove(entry.entry_id)
    assert issues(hass) == set()


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (Facts(), set()),
        (Facts(firmware="0.1.0", minimum_firmware="0.1.0"), set()),
        (Facts(firmware="0.0.9", minimum_firmware="0.1.0"), {"old_firmware"}),
        (Facts(firmware="0.10.0", minimum_firmware="0.9.0"), set()),
        (Facts(firmware="dev-build", minimum_firmware="0.1.0"), {"old_firmware"}),
        (Facts(encrypted=True), set()),
        (Facts(encrypted=False), {"not_encrypted"}),
        (Facts(wiring="Everything is connected right."), set()),
        (Facts(wiring="No fault found so far."), set()),
        (
            Facts(wiring="Transformers I1 and I3 are exchanged: swap them."),
            {"wrong_wiring"},
        ),
        (
            Facts(wiring="Turn transformer I1 round (unless that line feeds in now)."),
            {"wrong_wiring"},
        ),
        (Facts(wiring="Swap the two wires of voltage input V2."), {"wrong_wiring"}),
        (
            Facts(
                wiring="Not checked yet: put a heater on each phase, switch feed-in off, then check the wiring."
            ),
            set(),
        ),
        (Facts(clock=""), set()),
        (Facts(wiring="No voltage at V2: check fuse and wire."), {"wrong_wiring"}),
        (
            Facts(
                wiring="No fault found so far. Too little current at I1 to check:"
                " switch a heater on there and check again."
            ),
            set(),
        ),
        (Facts(clock="not set", clock_told_at=NOW, now=NOW), set()),
        (
            Facts(clock="not set", clock_told_at=NOW, now=NOW + timedelta(seconds=90)),
            {"wrong_clock"},
        ),
        (Facts(clock="no time at all"), {"wrong_clock"}),
        (
            Facts(clock=NOW.isoformat(), clock_told_at=NOW + timedelta(seconds=119)),
            set(),
        ),
        (
            Facts(clock=NOW.isoformat(), clock_told_at=NOW + timedelta(seconds=121)),
            {"wrong_clock"},
        ),
        (Facts(gone_back={"import_energy": (5.0, 4.0)}), {"energy_gone_back"}),
    ],
)
def test_what_is_found(facts: Facts, found: set[str]) -> None:
    """Each rule fires on its fault and on nothing else."""
    assert set(find(facts)) == found
    assert found <= set(CHECKS)


@pytest.mark.parametrize(
    ("source", "host", "is_so"),
    [
        ("native_api", "192.0.2.7", True),
        ("native_api", "nrj-meter.local", True),
        ("native_api", "fe80::1", True),
        ("native_api", "127.0.0.1", False),
        ("native_api", "::1", False),
        ("mqtt", None, False),
    ],
)
def test_only_who_is_in_a_network_needs_encryption(
    source: str, host: str | None, is_so: bool
) -> None:
    """A meter that is a program on the same machine is heard by nobody else."""
    assert watch_module.in_network({"source": source, "host": host}) is is_so


def test_counters_go_back_only_by_more_than_they_resolve() -> None:
    """32-bit floats of large totals move by a few watt-hours."""
    totals = EnergyCounters()
    assert not totals.take("import_energy", 10.0)
    assert not totals.take("import_energy", 9.995)
    assert totals.take("import_energy", 9.0)
    assert totals.gone_back == {"import_energy": (9.995, 9.0)}
    totals.accept()
    assert totals.gone_back == {}


def test_counters_that_begin_anew_each_day_have_not_gone_back() -> None:
    """Entities of other integrations may; the meter's own totals never do."""
    other, own = EnergyCounters(may_start_over=True), EnergyCounters()
    for totals in (other, own):
        totals.take("import_energy", 12.0)
        totals.take("import_energy", 0.0)
    assert other.gone_back == {}
    assert own.gone_back == {"import_energy": (12.0, 0.0)}
    other.take("import_energy", 8.0)
    assert other.take("import_energy", 7.0)


async def test_a_counter_that_went_back_while_nobody_looked_is_said(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The totals are remembered over restarts, and so is what was found."""
    entry = await add_meter(server.port)
    await state_is(hass, "sensor.nrj_meter_import_energy", "12.5")
    assert await hass.config_entries.async_unload(entry.entry_id)
    server.device.sensors["Import energy"] = 1.0
    assert await hass.config_entries.async_setup(entry.entry_id)
    await said(hass, "energy_gone_back")
    await hass.config_entries.async_reload(entry.entry_id)
    await said(hass, "energy_gone_back")

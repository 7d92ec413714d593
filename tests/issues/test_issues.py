"""Faults of a meter raise issues with a remedy, and repairs delete the issues."""

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
from custom_components.nrj_monitor.device_messages.message import parse_messages
from custom_components.nrj_monitor.issues import monitor as monitor_module
from custom_components.nrj_monitor.issues.checks import CHECKS, Facts, failed_checks
from custom_components.nrj_monitor.repairs import async_create_fix_flow
from custom_components.nrj_monitor.sources.native_api.client import ActionAnswer
from custom_components.nrj_monitor.sources.native_api.session import NativeApiSource
from nrj_tools.firmware import RunningFirmware
from nrj_tools.ports import free_port
from tests.conftest import AddMeter
from tests.support.device import KEY, DeviceServer
from tests.support.pace import patience
from tests.support.states import state_is

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def networked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat the loopback as a network in which others could listen."""
    monkeypatch.setattr(monitor_module, "uses_network", lambda data: True)


def active_issues(hass: HomeAssistant) -> set[str]:
    """Return the translation keys of the active issues."""
    return {
        issue.translation_key or ""
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.active
    }


async def wait_issue(hass: HomeAssistant, key: str, is_active: bool = True) -> None:
    """Wait until an issue is active, or is deleted."""
    async with asyncio.timeout(patience(10)):
        while (key in active_issues(hass)) is not is_active:
            await asyncio.sleep(0.05)


async def open_fix(hass: HomeAssistant, key: str) -> dict[str, Any]:
    """Open the repair flow of an issue."""
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
    """Submit the form of a repair flow."""
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
async def test_unencrypted_meter_raises_an_issue(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Everybody in the network could switch the relays."""
    await add_meter(server.port)
    await wait_issue(hass, "not_encrypted")
    form = await submit(hass, await open_fix(hass, "not_encrypted"))
    assert form["errors"] == {"base": "still_there"}


@pytest.mark.usefixtures("networked")
async def test_offline_meter_is_not_taken_for_repaired(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Without the link the flow stays open; without the entry the flow aborts."""
    entry = await add_meter(server.port)
    await wait_issue(hass, "not_encrypted")
    form = await open_fix(hass, "not_encrypted")
    await server.stop()
    async with asyncio.timeout(patience(10)):
        while entry.runtime_data.meter.connected:
            await asyncio.sleep(0.05)
    assert (await submit(hass, form))["errors"] == {"base": "link_down"}
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await submit(hass, form)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_there"


async def test_encrypted_meter_raises_no_issue(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A meter with a key and the present firmware has no active issues."""
    server.device.key = KEY
    await add_meter(server.port, KEY)
    assert active_issues(hass) == set()


async def test_old_firmware_raises_an_issue_until_the_update(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The issue is deleted once the meter runs the minimum firmware."""
    monkeypatch.setattr(monitor_module, "MINIMUM_FIRMWARE", "0.2.0")
    entry = await add_meter(server.port)
    await wait_issue(hass, "old_firmware")
    server.device.project_version = "0.2.0"
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_issue(hass, "old_firmware", is_active=False)


async def test_decreased_total_raises_an_issue_until_acknowledged(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The issue names the totals before and after."""
    await add_meter(server.port)
    server.measure(import_energy=12.6)
    await asyncio.sleep(0.5)
    server.measure(import_energy=3.0)
    await wait_issue(hass, "energy_gone_back")
    form = await open_fix(hass, "energy_gone_back")
    assert (
        "import_energy: 12.600 → 3.000 kWh"
        in (form["description_placeholders"]["totals"])
    )
    result = await submit(hass, form)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "energy_gone_back" not in active_issues(hass)


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


async def reverse_first_transformer(running: RunningFirmware) -> None:
    """Turn I1 round, and let the wiring check see a heater switched on behind it."""
    await act(running, "simulate_current_wiring", pins=0, line=0, factor=-0.2)
    await asyncio.sleep(patience(2))
    await act(running, "check_wiring")
    await act(running, "simulate_current_wiring", pins=0, line=0, factor=-1.0)
    await asyncio.sleep(patience(2))
    await act(running, "check_wiring")


async def test_reversed_transformer_is_diagnosed_and_repaired(
    hass: HomeAssistant,
    add_meter: AddMeter,
    heaters: RunningFirmware,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wiring check names the transformer; turned round, the issue is deleted.

    Another text of the meter comes between the action's answer and the result.
    """
    meter = (await add_meter(heaters.port)).runtime_data.meter
    run_action = NativeApiSource.run_action

    async def run_before_another_text(
        source: NativeApiSource, name: str
    ) -> ActionAnswer:
        answer = await run_action(source, name)
        meter.on_text("clock", meter.texts.get("clock", ""))
        return answer

    monkeypatch.setattr(NativeApiSource, "run_action", run_before_another_text)
    await reverse_first_transformer(heaters)
    await wait_issue(hass, "wrong_wiring")
    form = await open_fix(hass, "wrong_wiring")
    assert "I1" in form["description_placeholders"]["advice"]
    form = await submit(hass, form)
    assert form["errors"] == {"base": "still_there"}
    await act(heaters, "simulate_current_wiring", pins=0, line=0, factor=1.0)
    await asyncio.sleep(patience(2))
    result = await submit(hass, form)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "wrong_wiring" not in active_issues(hass)


async def test_wiring_issue_is_in_the_users_language(
    hass: HomeAssistant, add_meter: AddMeter, heaters: RunningFirmware
) -> None:
    """The codes of the real firmware become a French sentence."""
    hass.config.language = "fr"
    await add_meter(heaters.port)
    await reverse_first_transformer(heaters)
    await wait_issue(hass, "wrong_wiring")
    form = await open_fix(hass, "wrong_wiring")
    assert form["description_placeholders"]["advice"] == (
        "Retournez ces transformateurs : I1."
    )


async def test_wiring_of_an_offline_meter_cannot_be_checked(
    hass: HomeAssistant, add_meter: AddMeter, heaters: RunningFirmware
) -> None:
    """The repair flow has the error of a lost link, and stays open."""
    await add_meter(heaters.port)
    await reverse_first_transformer(heaters)
    await wait_issue(hass, "wrong_wiring")
    form = await open_fix(hass, "wrong_wiring")
    await asyncio.to_thread(heaters.stop)
    await asyncio.sleep(0.5)
    assert (await submit(hass, form))["errors"] == {"base": "link_down"}
    assert "wrong_wiring" in active_issues(hass)


async def test_issue_of_a_removed_meter_has_no_repair_flow(
    hass: HomeAssistant, integration: None
) -> None:
    """Opening the flow raises UnknownHandler."""
    with pytest.raises(UnknownHandler):
        await async_create_fix_flow(
            hass, "old", {"entry_id": "gone", "check": "old_firmware"}
        )


@pytest.mark.usefixtures("networked")
async def test_removing_a_meter_removes_its_issues(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Removing the entry deletes the issues of its meter."""
    entry = await add_meter(server.port)
    await wait_issue(hass, "not_encrypted")
    await hass.config_entries.async_remove(entry.entry_id)
    assert active_issues(hass) == set()


@pytest.mark.parametrize(
    ("facts", "expected"),
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
        (Facts(clock="not set"), set()),
        (Facts(clock=NOW.isoformat()), set()),
        (Facts(refused={"voltage_l1": (3, 1e12)}), {"impossible_readings"}),
        (Facts(clock="not set", clock_received_at=NOW, now=NOW), set()),
        (
            Facts(
                clock="not set", clock_received_at=NOW, now=NOW + timedelta(seconds=90)
            ),
            {"wrong_clock"},
        ),
        (Facts(clock="no time at all"), {"wrong_clock"}),
        (Facts(calibration=parse_messages("calibration_undone")), set()),
        (
            Facts(calibration=parse_messages("calibration_dropped")),
            {"dropped_calibration"},
        ),
        (
            Facts(
                clock=NOW.isoformat(), clock_received_at=NOW + timedelta(seconds=119)
            ),
            set(),
        ),
        (
            Facts(
                clock=NOW.isoformat(), clock_received_at=NOW + timedelta(seconds=121)
            ),
            {"wrong_clock"},
        ),
        (Facts(gone_back={"import_energy": (5.0, 4.0)}), {"energy_gone_back"}),
    ],
)
def test_checks_fail_on_their_fault_only(facts: Facts, expected: set[str]) -> None:
    """Each check fails on its own fault, and on nothing else."""
    assert set(failed_checks(facts)) == expected
    assert expected <= set(CHECKS)


@pytest.mark.parametrize(
    ("source", "host", "is_networked"),
    [
        ("native_api", "192.0.2.7", True),
        ("native_api", "nrj-meter.local", True),
        ("native_api", "fe80::1", True),
        ("native_api", "127.0.0.1", False),
        ("native_api", "::1", False),
        ("mqtt", None, False),
    ],
)
def test_only_a_networked_meter_needs_encryption(
    source: str, host: str | None, is_networked: bool
) -> None:
    """Nobody else can hear a meter simulated on the same machine."""
    assert monitor_module.uses_network({"source": source, "host": host}) is is_networked


async def test_decrease_over_a_restart_raises_an_issue(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Latest totals and recorded decreases are restored from the store."""
    entry = await add_meter(server.port)
    await state_is(hass, "sensor.nrj_meter_import_energy", "12.5")
    assert await hass.config_entries.async_unload(entry.entry_id)
    server.device.sensors["Import energy"] = 1.0
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_issue(hass, "energy_gone_back")
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_issue(hass, "energy_gone_back")

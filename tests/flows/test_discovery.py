"""Discover meters from their mDNS announcements, and follow their addresses."""

import asyncio
from ipaddress import ip_address
from typing import Any

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_ZEROCONF,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import pytest

from custom_components.nrj_monitor.const import CONF_ENCRYPTION_KEY, DOMAIN
from nrj_tools.firmware import RunningFirmware
from nrj_tools.ports import free_port
from tests.conftest import HOST, AddMeter, decline_the_offer
from tests.support.device import KEY, OTHER_KEY, Device, DeviceServer
from tests.support.forms import fields, sentence
from tests.support.mdns import WITH_KEY, announce
from tests.support.noise_proxy import NoiseProxy
from tests.support.states import state_is, state_where

VOLTAGE = "sensor.nrj_meter_voltage_l1"
MAC = "024e524a0007"
"""Of the scriptable device, as the text record spells it."""

pytestmark = pytest.mark.usefixtures("unloaded")


def is_mains(state: State) -> bool:
    """Return whether a state is the voltage of a European mains."""
    return state.state[0].isdigit() and float(state.state) > 200


def discovered(hass: HomeAssistant) -> list[Any]:
    """Return the discovery flows in progress."""
    return list(hass.config_entries.flow.async_progress_by_handler(DOMAIN))


async def confirm(hass: HomeAssistant, **answers: Any) -> ConfigFlowResult:
    """Answer the only discovery flow in progress."""
    (flow,) = discovered(hass)
    return await hass.config_entries.flow.async_configure(flow["flow_id"], answers)


async def test_a_meter_announces_itself_and_is_added_with_one_click(
    hass: HomeAssistant, firmware: RunningFirmware
) -> None:
    """The real firmware, found by its project, needs no address to be typed."""
    await announce(hass, firmware.port)
    (flow,) = discovered(hass)
    assert flow["context"]["title_placeholders"] == {"name": "NRJ Meter"}
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert form["step_id"] == "discovery_confirm"
    assert form["description_placeholders"] == {"name": "NRJ Meter"}
    result = await decline_the_offer(hass, await confirm(hass))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == "02:4e:52:4a:00:01"
    assert result["data"][CONF_HOST] == HOST
    assert result["data"][CONF_PORT] == firmware.port
    await state_where(hass, VOLTAGE, is_mains)


async def test_other_devices_that_announce_themselves_are_left_alone(
    hass: HomeAssistant, integration: None
) -> None:
    """A kettle, a device without a project and a similar name open no dialogue."""
    for project in ("acme.kettle", None, "nrj-monitors.meter"):
        await announce(hass, 6053, project_name=project)
    assert discovered(hass) == []


async def test_every_firmware_of_this_project_is_found(
    hass: HomeAssistant, integration: None
) -> None:
    """Discover every project name of the project, whatever follows the dot."""
    await announce(hass, 6053, project_name="nrj-monitor.plug")
    assert len(discovered(hass)) == 1


async def test_a_meter_that_announces_itself_again_and_again_is_shown_once(
    hass: HomeAssistant, integration: None
) -> None:
    """Show a single card for a meter, even after a new address."""
    for port in (6053, 6053, 6054):
        await announce(hass, port)
    assert len(discovered(hass)) == 1


async def test_a_meter_that_was_ignored_stays_ignored(
    hass: HomeAssistant, server: DeviceServer
) -> None:
    """Neither show nor contact an ignored meter again."""
    await announce(hass, server.port, mac=MAC)
    (flow,) = discovered(hass)
    await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_IGNORE},
        data={"unique_id": flow["context"]["unique_id"], "title": "NRJ Meter"},
    )
    await announce(hass, server.port, mac=MAC)
    assert discovered(hass) == []
    assert server.accepted == 0


async def test_an_ignored_meter_can_still_be_added_by_its_address(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Ignoring is not for ever."""
    await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_IGNORE},
        data={"unique_id": "02:4e:52:4a:00:07", "title": "NRJ Meter"},
    )
    entry = await add_meter(server.port)
    assert entry.state is ConfigEntryState.LOADED
    assert hass.config_entries.async_entries(DOMAIN) == [entry]


async def test_adding_by_address_takes_the_discovered_card_away(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Withdraw the discovered card of a meter added by address."""
    await announce(hass, server.port, mac=MAC)
    await add_meter(server.port)
    assert discovered(hass) == []


async def test_an_encrypted_meter_asks_for_its_key(
    hass: HomeAssistant, firmware: RunningFirmware
) -> None:
    """Ask for the key alone, and name a wrong key in the form."""
    async with NoiseProxy(firmware.port, KEY) as proxy:
        await announce(hass, proxy.port, **WITH_KEY)
        form = await confirm(hass)
        assert form["step_id"] == "discovery_key"
        assert not form["errors"]
        wrong = await confirm(hass, **{CONF_ENCRYPTION_KEY: OTHER_KEY})
        assert sentence(wrong).startswith("The meter does not accept this")
        assert fields(wrong) == [CONF_ENCRYPTION_KEY]
        result = await decline_the_offer(
            hass, await confirm(hass, **{CONF_ENCRYPTION_KEY: KEY})
        )
        assert result["data"][CONF_ENCRYPTION_KEY] == KEY
        await state_where(hass, VOLTAGE, is_mains)
        await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_discovered_meter_that_is_gone_again(
    hass: HomeAssistant, integration: None
) -> None:
    """The dialogue says so and can be tried again."""
    port = free_port()
    await announce(hass, port)
    form = await confirm(hass)
    assert form["step_id"] == "discovery_confirm"
    assert f"nothing listens on port {port}" in sentence(form)


async def test_a_discovered_device_that_turns_out_to_be_no_meter(
    hass: HomeAssistant, server: DeviceServer
) -> None:
    """Trust the device's own identification over its announcement."""
    server.device.project = "acme.kettle"
    server.device.friendly_name = "Kettle"
    await announce(hass, server.port)
    result = await confirm(hass)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_a_meter"
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["name"] == "Kettle"
    assert placeholders["project"] == "acme.kettle"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"project_name": "acme.kettle", "mac": MAC}, "not_a_meter"),
        ({"mac": MAC}, "not_a_meter"),
        ({"project_name": "nrj-monitor.meter"}, "no_mac"),
        ({"project_name": "nrj-monitor.meter", "mac": None}, "no_mac"),
    ],
)
async def test_a_useless_announcement(
    hass: HomeAssistant,
    integration: None,
    properties: dict[str, str | None],
    reason: str,
) -> None:
    """Name the reason a useless announcement is dropped, without a crash."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_ZEROCONF},
        data=ZeroconfServiceInfo(
            ip_address=ip_address(HOST),
            ip_addresses=[ip_address(HOST)],
            port=6053,
            hostname="kettle.local.",
            type="_esphomelib._tcp.local.",
            name="kettle._esphomelib._tcp.local.",
            properties=properties,
        ),
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == reason
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["name"] == "kettle"


async def move(server: DeviceServer) -> int:
    """Move the meter to another port; return the former port."""
    await server.stop()
    old, server.port = server.port, free_port()
    await server.start()
    return old


async def test_a_meter_that_moved_is_followed(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A new address announced by the meter is used at once, and kept."""
    entry = await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.0")
    await move(server)
    await state_is(hass, VOLTAGE, "unavailable")
    await announce(hass, server.port, mac=MAC)
    await state_is(hass, VOLTAGE, "230.0")
    assert entry.data[CONF_PORT] == server.port
    assert discovered(hass) == []


async def test_a_meter_that_moves_before_it_is_missed_is_followed(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The announcement may come before the old link is known to be dead."""
    entry = await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.0")
    new = DeviceServer(server.device)
    async with new:
        announcing = asyncio.create_task(announce(hass, new.port, mac=MAC))
        await asyncio.sleep(0.3)
        assert entry.data[CONF_PORT] == server.port
        await server.stop()
        await announcing
        await state_is(hass, VOLTAGE, "230.0")
        assert entry.data[CONF_PORT] == new.port
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_meter_that_moved_while_home_assistant_was_off_is_followed(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Follow a meter set up at a stale address to the announced address."""
    entry = await add_meter(server.port)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await move(server)
    await hass.config_entries.async_setup(entry.entry_id)
    await announce(hass, server.port, mac=MAC)
    await state_is(hass, VOLTAGE, "230.0")
    assert entry.data[CONF_PORT] == server.port


async def test_a_link_that_works_is_not_given_up_for_an_announcement(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Anybody can announce anything."""
    monkeypatch.setattr(
        "custom_components.nrj_monitor.flows.discovery_update.LINK_LOSS_TIMEOUT", 0.2
    )
    entry = await add_meter(server.port)
    before = dict(entry.data)
    async with DeviceServer(server.device) as double:
        await announce(hass, double.port, mac=MAC)
        assert double.accepted == 0
    assert entry.data == before
    await state_is(hass, VOLTAGE, "230.0")


@pytest.mark.parametrize("liar", [Device(mac="02:4E:52:4A:00:99"), Device(key=KEY)])
async def test_an_address_at_which_another_meter_answers_is_not_taken(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, liar: Device
) -> None:
    """Refuse an announced address which answers as another meter or rejects the key."""
    entry = await add_meter(server.port)
    before = dict(entry.data)
    await server.stop()
    await state_is(hass, VOLTAGE, "unavailable")
    async with DeviceServer(liar) as other:
        await announce(hass, other.port, mac=MAC)
        assert other.accepted > 0
    assert entry.data == before


async def test_a_known_address_is_no_news(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Ignore an announcement of the address already in the entry."""
    entry = await add_meter(server.port)
    before = server.accepted
    await announce(hass, server.port, mac=MAC)
    assert server.accepted == before
    assert entry.state is ConfigEntryState.LOADED

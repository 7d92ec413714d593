"""Add, reconfigure and reauthenticate a meter, and refuse every kind of wrong address, device and key."""

import asyncio
import socket
from typing import Any

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_socket import enable_socket, socket_allow_hosts

from custom_components.nrj_monitor.const import CONF_ENCRYPTION_KEY, DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.sources.native_api import (
    client as client_module,
    session,
)
from nrj_tools.ports import free_port
from tests.conftest import HOST, AddMeter, Ask, decline_the_offer
from tests.support.device import KEY, OTHER_KEY, DeviceServer
from tests.support.forms import fields, sentence, typed
from tests.support.loopback import LoopbackServer, SilentServer, WebServer
from tests.support.states import state_is


def assert_nothing_is_left(hass: HomeAssistant) -> None:
    """No entry, device or entity of this integration exists."""
    assert hass.config_entries.async_entries(DOMAIN) == []
    assert list(dr.async_get(hass).devices) == []
    assert list(er.async_get(hass).entities) == []


async def test_a_meter_is_added_under_its_own_name(
    hass: HomeAssistant, ask: Ask, server: DeviceServer
) -> None:
    """Host and port are enough; the meter says the rest."""
    result = await ask(server.port)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "NRJ Meter"
    entry = result["result"]
    assert entry.unique_id == "02:4e:52:4a:00:07"
    assert entry.data[CONF_HOST] == HOST
    assert entry.data[CONF_PORT] == server.port
    assert CONF_ENCRYPTION_KEY not in entry.data


async def test_an_encrypted_meter_is_added_with_its_key(
    hass: HomeAssistant, ask: Ask, server: DeviceServer
) -> None:
    """Store the encryption key without the blanks pasted around the key."""
    server.device.key = KEY
    result = await ask(server.port, f" {KEY} ", host=f" {HOST} ")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"][CONF_ENCRYPTION_KEY] == KEY
    assert result["data"][CONF_HOST] == HOST
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")


async def test_an_unknown_host(hass: HomeAssistant, ask: Ask) -> None:
    """A misspelt name is said to be unknown, beside its field."""
    form = await ask(6053, host="no-such-meter.invalid")
    assert sentence(form).startswith("No address is known for no-such-meter.invalid.")
    assert fields(form) == [CONF_HOST]
    assert_nothing_is_left(hass)


@pytest.mark.parametrize("host", ["", "two words", "a..b", "x" * 300, "ключ", "[::1"])
async def test_nonsense_for_a_host(hass: HomeAssistant, ask: Ask, host: str) -> None:
    """Answer every typed host with a sentence, never with a crash."""
    form = await ask(6053, host=host)
    assert sentence(form).startswith("No address is known for")
    assert_nothing_is_left(hass)


async def test_a_refused_connection(hass: HomeAssistant, ask: Ask) -> None:
    """Tell a machine without a meter on the port from an absent machine."""
    port = free_port()
    form = await ask(port)
    assert f"nothing listens on port {port}" in sentence(form)
    assert fields(form) == [CONF_PORT]
    assert_nothing_is_left(hass)


async def test_an_unreachable_host(hass: HomeAssistant, ask: Ask) -> None:
    """Tell an unreachable address from a machine switched off."""
    enable_socket()
    socket_allow_hosts(["127.0.0.1", "255.255.255.255"], allow_unix_socket=True)
    form = await ask(6053, host="255.255.255.255")
    assert sentence(form).startswith("There is no way to 255.255.255.255")
    assert_nothing_is_left(hass)


async def test_a_device_that_is_silent(
    hass: HomeAssistant, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give up on a device which accepts the connection and never answers."""
    monkeypatch.setattr(client_module, "TALK_TIMEOUT", 0.2)
    async with SilentServer() as silent:
        form = await ask(silent.port)
        await silent.wait_until_left()
    assert sentence(form).startswith(f"Nothing answered at {HOST}")
    assert_nothing_is_left(hass)


async def test_a_machine_that_is_switched_off(
    hass: HomeAssistant, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address from which nothing ever comes does not hold the form for ever."""
    monkeypatch.setattr(client_module, "CONNECT_TIMEOUT", 0.2)
    # Linux drops further connections to a listener whose queue is full.
    with (
        socket.socket() as listener,
        socket.socket() as first,
        socket.socket() as next_,
    ):
        listener.bind((HOST, 0))
        listener.listen(0)
        for client in (first, next_):
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        form = await ask(listener.getsockname()[1])
    assert sentence(form).startswith(f"Nothing answered at {HOST}")
    assert_nothing_is_left(hass)


async def test_a_device_that_greets_and_then_is_silent(
    hass: HomeAssistant,
    ask: Ask,
    server: DeviceServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Count a device as silent if its identification stays unanswered."""
    monkeypatch.setattr(client_module, "TALK_TIMEOUT", 0.2)
    server.device.answers_questions = False
    form = await ask(server.port)
    assert sentence(form).startswith(f"Nothing answered at {HOST}")
    await server.wait_until_left()
    assert_nothing_is_left(hass)


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "encrypted"])
async def test_a_web_server(hass: HomeAssistant, ask: Ask, key: str | None) -> None:
    """Tell a device without the ESPHome protocol from a silent device."""
    async with WebServer() as web:
        form = await ask(web.port, key)
    assert "it is not an ESPHome device" in sentence(form)
    assert_nothing_is_left(hass)


async def test_a_server_that_hangs_up(hass: HomeAssistant, ask: Ask) -> None:
    """Hanging up at once is no way for an ESPHome device to answer either."""

    class HangsUp(LoopbackServer):
        async def serve(self, reader: Any, writer: Any) -> None:
            writer.close()

    async with HangsUp() as rude:
        form = await ask(rude.port)
    assert "it is not an ESPHome device" in sentence(form)
    assert_nothing_is_left(hass)


@pytest.mark.parametrize(
    ("project", "named"),
    [("acme.kettle", "acme.kettle"), ("", "ESPHome"), ("nrj-monitors.x", "nrj-mon")],
)
async def test_another_esphome_device(
    hass: HomeAssistant, ask: Ask, server: DeviceServer, project: str, named: str
) -> None:
    """A kettle is named as such and not added."""
    server.device.project = project
    server.device.friendly_name = "Kettle"
    form = await ask(server.port)
    assert sentence(form).startswith("Kettle is an ESPHome device running " + named)
    assert_nothing_is_left(hass)


async def test_a_missing_key(
    hass: HomeAssistant, ask: Ask, server: DeviceServer
) -> None:
    """Ask for the key of a meter with an encrypted connection."""
    server.device.key = KEY
    form = await ask(server.port)
    assert sentence(form).startswith("The meter encrypts its connection.")
    assert fields(form) == [CONF_ENCRYPTION_KEY]
    assert_nothing_is_left(hass)


async def test_a_wrong_key(hass: HomeAssistant, ask: Ask, server: DeviceServer) -> None:
    """Refuse a well-formed key the meter does not accept."""
    server.device.key = KEY
    form = await ask(server.port, OTHER_KEY)
    assert sentence(form).startswith("The meter does not accept this encryption key.")
    assert_nothing_is_left(hass)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("not base64 at all", id="not base64"),
        pytest.param("c2hvcnQ=", id="too short"),
        pytest.param(KEY[:-1], id="last character not copied"),
        pytest.param(KEY + KEY, id="pasted twice"),
        pytest.param(f"{KEY[:9]} {KEY[9:]}", id="blank inside"),
        pytest.param("clé", id="not ASCII"),
    ],
)
async def test_a_malformed_key(
    hass: HomeAssistant, ask: Ask, server: DeviceServer, key: str
) -> None:
    """A key no device can have is not even tried."""
    server.device.key = KEY
    form = await ask(server.port, key)
    assert sentence(form).startswith("This cannot be an encryption key.")
    assert_nothing_is_left(hass)


async def test_a_key_for_a_meter_that_does_not_encrypt(
    hass: HomeAssistant, ask: Ask, server: DeviceServer
) -> None:
    """The meter never pretends to encrypt."""
    form = await ask(server.port, KEY)
    assert sentence(form).startswith("The meter does not encrypt its connection.")
    assert_nothing_is_left(hass)


async def test_the_form_keeps_the_typed_fields_and_can_be_corrected(
    hass: HomeAssistant, ask: Ask, server: DeviceServer
) -> None:
    """Keep the other typed fields when a field is wrong."""
    server.device.key = KEY
    form = await ask(server.port, OTHER_KEY)
    assert typed(form) == {
        CONF_HOST: HOST,
        CONF_PORT: server.port,
        CONF_ENCRYPTION_KEY: OTHER_KEY,
    }
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], typed(form) | {CONF_ENCRYPTION_KEY: KEY}
    )
    result = await decline_the_offer(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_the_same_meter_twice(
    hass: HomeAssistant, ask: Ask, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Recognize a meter by its MAC address at whatever address."""
    entry = await add_meter(server.port)
    before = dict(entry.data)
    again = await ask(server.port, host="localhost")
    assert again["type"] is FlowResultType.ABORT
    assert again["reason"] == "already_configured"
    assert hass.config_entries.async_entries(DOMAIN) == [entry]
    assert entry.data == before


async def test_nobody_stays_connected_after_a_failed_flow(
    hass: HomeAssistant, ask: Ask, server: DeviceServer
) -> None:
    """A slot of the device is not held for a form."""
    server.device.project = "acme.kettle"
    await ask(server.port)
    await server.wait_until_left()


async def start_flow(
    hass: HomeAssistant, entry: NrjConfigEntry, source: str
) -> ConfigFlowResult:
    """Start the dialogue a person opens from the menu of a meter."""
    given = {SOURCE_REAUTH: dict(entry.data), SOURCE_RECONFIGURE: None}
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": source, "entry_id": entry.entry_id},
        data=given[source],
    )


async def submit(
    hass: HomeAssistant, flow: ConfigFlowResult, **answers: Any
) -> ConfigFlowResult:
    """Submit a form with `answers` over its shown values."""
    shown = {field: value for field, value in typed(flow).items() if value is not None}
    return await hass.config_entries.flow.async_configure(
        flow["flow_id"], shown | answers
    )


async def test_a_meter_with_a_new_address(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The address can be changed; entities and their history stay."""
    entry = await add_meter(server.port)
    await server.stop()
    server.port = free_port()
    await server.start()
    form = await start_flow(hass, entry, SOURCE_RECONFIGURE)
    assert typed(form)[CONF_HOST] == HOST
    result = await submit(hass, form, **{CONF_PORT: server.port})
    assert result["reason"] == "reconfigure_successful"
    assert entry.data[CONF_PORT] == server.port
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")


@pytest.mark.parametrize("key", [None, KEY])
async def test_reconfiguring_to_another_meter_changes_nothing(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, key: str | None
) -> None:
    """Refuse to reconfigure a meter to the address of another one, and ask for no key."""
    entry = await add_meter(server.port)
    before = dict(entry.data)
    form = await start_flow(hass, entry, SOURCE_RECONFIGURE)
    server.device.mac, server.device.key = "02:4E:52:4A:00:99", key
    result = await submit(hass, form)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "other_meter"
    assert entry.data == before


async def test_new_meter_takes_the_place_of_the_old_one(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Entities and their history stay, and no second device appears."""
    entry = await add_meter(server.port)
    registry = er.async_get(hass)
    before = {
        entity.entity_id
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
    }
    form = await start_flow(hass, entry, SOURCE_RECONFIGURE)
    server.device.mac = "02:4E:52:4A:00:99"
    server.device.sensors["Import energy"] = 0.25
    result = await submit(hass, form, new_meter=True)
    assert result["reason"] == "reconfigure_successful"
    await state_is(hass, "sensor.nrj_meter_import_energy", "0.25")
    assert entry.unique_id == "02:4e:52:4a:00:99"
    entities = er.async_entries_for_config_entry(registry, entry.entry_id)
    assert {entity.entity_id for entity in entities} == before
    assert all(entity.unique_id.startswith(entry.unique_id) for entity in entities)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert [device.identifiers for device in devices] == [
        {(DOMAIN, "02:4e:52:4a:00:99")}
    ]
    assert not entry.runtime_data.store.energy_counters.gone_back


CALIBRATED = """\
l1: {voltage_gain: 1.014530, current_gain: 0.988700, phase: 0.312}
l2: {voltage_gain: 1.000000, current_gain: 1.000000, phase: 0.000}
l3: {voltage_gain: 1.000000, current_gain: 1.000000, phase: -1.250}"""

NEVER_CALIBRATED = "\n".join(
    f"l{phase}: {{voltage_gain: 1.000000, current_gain: 1.000000, phase: 0.000}}"
    for phase in (1, 2, 3)
)


async def replace_calibrated(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, text: str
) -> tuple[NrjConfigEntry, ConfigFlowResult]:
    """Replace a meter that shows its corrections by one that can take them over."""
    server.device.texts["Calibration corrections"] = text
    server.device.actions["take_over_calibration"] = (True, "")
    entry = await add_meter(server.port)
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")
    form = await start_flow(hass, entry, SOURCE_RECONFIGURE)
    server.device.mac = "02:4E:52:4A:00:99"
    server.device.texts.clear()
    return entry, await submit(hass, form, new_meter=True)


@pytest.mark.parametrize("take_over", [True, False])
async def test_a_new_meter_takes_the_calibration_over_where_it_is_wanted(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, *, take_over: bool
) -> None:
    """The transformers may stay, and only a person knows; nothing is written unasked."""
    entry, form = await replace_calibrated(hass, add_meter, server, CALIBRATED)
    assert form["step_id"] == "calibration"
    assert entry.unique_id == "02:4e:52:4a:00:07"
    placeholders = form["description_placeholders"]
    assert placeholders is not None
    assert "- L1: U +1.45 %, I -1.13 %, φ +0.312°" in placeholders["corrections"]
    result = await submit(hass, form, take_over=take_over)
    assert result["reason"] == "reconfigure_successful"
    assert entry.unique_id == "02:4e:52:4a:00:99"
    written = [(1.01453, 0.9887, 0.312), (1, 1, 0), (1, 1, -1.25)] if take_over else []
    assert [name for name, _ in server.ran] == ["take_over_calibration"][:take_over]
    assert [number for _, numbers in server.ran for number in numbers] == pytest.approx(
        [number for phase in written for number in phase]
    )


async def test_a_calibration_that_is_not_taken_over_can_be_left(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The reason is said, by the meter's code or in its words, and the link's error too."""
    entry, form = await replace_calibrated(hass, add_meter, server, CALIBRATED)
    answer = server.device.actions
    answer["take_over_calibration"] = (False, "No. [correction_impossible:phase=L3]")
    form = await submit(hass, form, take_over=True)
    assert "The correction of L3 is no tolerance of a part" in sentence(form)
    assert fields(form) == ["take_over"]
    answer["take_over_calibration"] = (False, "Words of another version")
    form = await submit(hass, form, take_over=True)
    assert "Words of another version" in sentence(form)
    del answer["take_over_calibration"]
    form = await submit(hass, form, take_over=True)
    assert sentence(form).startswith("Nothing answered at")
    assert entry.unique_id == "02:4e:52:4a:00:07"
    result = await submit(hass, form, take_over=False)
    assert result["reason"] == "reconfigure_successful"


@pytest.mark.parametrize("text", [NEVER_CALIBRATED, "l1: nonsense"])
async def test_without_a_calibration_nothing_is_asked(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, text: str
) -> None:
    """A meter that was never calibrated, or whose corrections can not be read."""
    _, result = await replace_calibrated(hass, add_meter, server, text)
    assert result["reason"] == "reconfigure_successful"


async def test_the_calibration_of_a_meter_that_is_gone_is_known(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """It was remembered while the meter was there, and over a restart."""
    server.device.texts["Calibration corrections"] = CALIBRATED
    server.device.actions["take_over_calibration"] = (True, "")
    entry = await add_meter(server.port)
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")
    await hass.config_entries.async_unload(entry.entry_id)
    form = await start_flow(hass, entry, SOURCE_RECONFIGURE)
    server.device.mac = "02:4E:52:4A:00:99"
    form = await submit(hass, form, new_meter=True)
    assert form["step_id"] == "calibration"
    hass.config_entries.flow.async_abort(form["flow_id"])


async def test_reconfiguring_to_nowhere_changes_nothing(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A wrong address is said and not saved."""
    entry = await add_meter(server.port)
    before = dict(entry.data)
    form = await start_flow(hass, entry, SOURCE_RECONFIGURE)
    result = await submit(hass, form, **{CONF_PORT: free_port()})
    assert "nothing listens" in sentence(result)
    assert entry.data == before
    hass.config_entries.flow.async_abort(form["flow_id"])


async def test_a_changed_key_is_asked_for_and_the_meter_comes_back(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Ask for the new key of a meter flashed with another key."""
    server.device.key = KEY
    entry = await add_meter(server.port, KEY)
    await server.stop()
    server.device.key = OTHER_KEY
    await server.start()
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "unavailable")
    while not (flows := hass.config_entries.flow.async_progress_by_handler(DOMAIN)):
        await state_is(hass, "sensor.nrj_meter_voltage_l1", "unavailable")
        await hass.async_block_till_done()
    form = await hass.config_entries.flow.async_configure(flows[0]["flow_id"])
    assert form["step_id"] == "reauth_confirm"
    assert form["description_placeholders"] == {"name": "NRJ Meter"}

    wrong = await submit(hass, form, **{CONF_ENCRYPTION_KEY: KEY})
    assert sentence(wrong).startswith("The meter does not accept this encryption key.")
    right = await submit(hass, form, **{CONF_ENCRYPTION_KEY: OTHER_KEY})
    assert right["reason"] == "reauth_successful"
    assert entry.data[CONF_ENCRYPTION_KEY] == OTHER_KEY
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")


@pytest.mark.usefixtures("impatient")
async def test_a_wrong_key_is_not_tried_again_and_again(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A meter is not kept busy turning somebody away."""
    server.device.key = KEY
    await add_meter(server.port, KEY)
    await server.stop()
    server.device.key = OTHER_KEY
    await server.start()
    before = server.accepted
    await asyncio.sleep(0.8)
    assert server.accepted - before == 1


@pytest.mark.usefixtures("impatient")
async def test_a_meter_that_gets_its_old_key_back_comes_back_by_itself(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Flashing the old firmware again is a way to answer, too."""
    monkeypatch.setattr(session, "CREDENTIAL_PAUSE", 0.2)
    server.device.key = KEY
    await add_meter(server.port, KEY)
    await server.stop()
    server.device.key = OTHER_KEY
    await server.start()
    await asyncio.sleep(0.5)
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "unavailable")
    server.device.key = KEY
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")


async def test_reauthentication_with_the_meter_away_says_so(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The form for the key has no field for the address; the error stands above."""
    server.device.key = KEY
    entry = await add_meter(server.port, KEY)
    form = await start_flow(hass, entry, SOURCE_REAUTH)
    await server.stop()
    result = await submit(hass, form, **{CONF_ENCRYPTION_KEY: KEY})
    assert "nothing listens" in sentence(result)
    assert fields(result) == ["base"]
    hass.config_entries.flow.async_abort(form["flow_id"])


async def test_a_key_that_went_wrong_while_home_assistant_was_off(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Fail the set-up with the reason and ask for the key."""
    server.device.key = KEY
    entry = await add_meter(server.port, KEY)
    assert await hass.config_entries.async_unload(entry.entry_id)
    server.device.key = OTHER_KEY
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "wrong_key"
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert [flow["context"]["source"] for flow in flows] == ["reauth"]
    await server.wait_until_left()

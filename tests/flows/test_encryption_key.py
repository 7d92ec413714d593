"""Provide, take over, recover and give back a meter's encryption key.

The firmware is the real one; its encryption is that of the proxy in front of it.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping
import logging
from pathlib import Path
from typing import Any

import homeassistant
from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_RECONFIGURE
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.const import (
    CONF_ADD_TO_ENERGY,
    CONF_ENCRYPTION_KEY,
    DOMAIN,
)
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.sources.esphome_entry import (
    ESPHOME_DOMAIN,
    ESPHOME_KEY,
)
from custom_components.nrj_monitor.sources.native_api import session
from nrj_tools.firmware import RunningFirmware
from tests.conftest import CHATTY, HOST, AddMeter, Ask, decline_the_offer
from tests.support.device import KEY, OTHER_KEY, Device, DeviceServer
from tests.support.forms import fields, sentence
from tests.support.mdns import NO_KEY, announce
from tests.support.noise_proxy import NoiseProxy
from tests.support.pace import patience
from tests.support.states import state_is, state_where

VOLTAGE = "sensor.nrj_meter_voltage_l1"
MAC = "02:4e:52:4a:00:01"


def is_mains(state: State) -> bool:
    """Return whether a state is the voltage of a European mains."""
    return state.state[0].isdigit() and float(state.state) > 200


@pytest.fixture
async def proxy(firmware: RunningFirmware) -> AsyncGenerator[NoiseProxy]:
    """Return the real meter as freshly flashed: without a key."""
    async with NoiseProxy(firmware.port, None) as running:
        yield running


@pytest.fixture(autouse=True)
async def unload_first(
    hass: HomeAssistant, proxy: NoiseProxy, unloaded: None
) -> AsyncGenerator[None]:
    """Unload before the proxy stops."""
    yield
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)


def esphome_entry(hass: HomeAssistant, key: str, mac: str = MAC) -> MockConfigEntry:
    """Return an entry in the form Home Assistant's own ESPHome integration stores."""
    entry = MockConfigEntry(
        domain=ESPHOME_DOMAIN,
        unique_id=mac,
        data={CONF_HOST: HOST, CONF_PORT: 6053, ESPHOME_KEY: key},
    )
    entry.add_to_hass(hass)
    return entry


def shown(form: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the placeholders of a form's text."""
    placeholders: Mapping[str, str] = form["description_placeholders"]
    return placeholders


async def submit(hass: HomeAssistant, flow: Any, **answers: Any) -> Any:
    """Answer a form."""
    return await hass.config_entries.flow.async_configure(flow["flow_id"], answers)


@pytest.mark.parametrize("plaintext", [True, False], ids=["2026.10", "2027.2"])
async def test_a_meter_without_a_key_gets_a_key(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy, plaintext: bool
) -> None:
    """Show a new key before the meter gets the key, and require the key from then on.

    From ESPHome 2027.2 on a meter without a key does not talk in the clear.
    """
    proxy._plaintext = plaintext
    form = await ask(proxy.port)
    assert form["step_id"] == "new_key"
    assert shown(form)["name"] == "NRJ Meter"
    key = shown(form)["key"]
    assert len(base64.b64decode(key, validate=True)) == 32
    assert proxy.current_key() is None
    result = await submit(hass, form, **{CONF_ADD_TO_ENERGY: False})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"][CONF_ENCRYPTION_KEY] == key
    assert proxy.current_key() == key
    await state_where(hass, VOLTAGE, is_mains)


async def test_the_key_is_in_no_log(
    hass: HomeAssistant,
    ask: Ask,
    proxy: NoiseProxy,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Write the key to no log, even at the finest level."""
    for name in (None, *CHATTY):
        caplog.set_level(logging.DEBUG, name)
    entry = await add_and_give_key(hass, ask, proxy)
    key = proxy.current_key()
    await hass.config_entries.async_remove(entry.entry_id)
    assert proxy.current_key() is None
    assert key is not None
    assert key not in caplog.text
    assert base64.b64decode(key).hex() not in caplog.text


async def test_each_meter_gets_a_key_of_its_own(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy
) -> None:
    """Offer a different key in each dialogue."""
    forms = [await ask(proxy.port), await ask(proxy.port)]
    assert len({shown(form)["key"] for form in forms}) == 2


async def test_a_dialogue_that_is_closed_leaves_no_unknown_key_behind(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy
) -> None:
    """A meter is not locked by somebody who changed his mind."""
    form = await ask(proxy.port)
    hass.config_entries.flow.async_abort(form["flow_id"])
    assert proxy.current_key() is None


async def test_a_discovered_meter_without_a_key_gets_one(
    hass: HomeAssistant, proxy: NoiseProxy
) -> None:
    """Two clicks and nothing to type."""
    await announce(hass, proxy.port, **NO_KEY)
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    form = await submit(hass, flow)
    assert form["step_id"] == "new_key"
    result = await submit(hass, form, **{CONF_ADD_TO_ENERGY: False})
    assert result["data"][CONF_ENCRYPTION_KEY] == proxy.current_key()
    await state_where(hass, VOLTAGE, is_mains)


async def test_a_meter_that_takes_no_key_any_more(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy
) -> None:
    """Name the reason a meter takes no key, and store no entry."""
    proxy.takes_keys = False
    form = await ask(proxy.port)
    again = await submit(hass, form, **{CONF_ADD_TO_ENERGY: False})
    assert sentence(again).startswith("The meter takes no key:")
    assert fields(again) == ["base"]
    assert hass.config_entries.async_entries(DOMAIN) == []


async def test_a_key_whose_receipt_was_lost_is_not_lost(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy
) -> None:
    """Retry the same key after its receipt was lost."""
    proxy.loses_answers = True
    form = await ask(proxy.port)
    again = await submit(hass, form, **{CONF_ADD_TO_ENERGY: False})
    assert sentence(again).startswith("Nothing answered at")
    async with asyncio.timeout(patience(5)):
        while proxy.current_key() is None:
            await asyncio.sleep(0.01)
    result = await submit(hass, again, **{CONF_ADD_TO_ENERGY: False})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"][CONF_ENCRYPTION_KEY] == proxy.current_key()


async def test_a_key_that_esphome_gave_in_the_meantime_is_taken_over(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy
) -> None:
    """Take over the key ESPHome's integration gave in the meantime."""
    form = await ask(proxy.port)
    proxy.key = KEY
    esphome_entry(hass, KEY)
    result = await submit(hass, form, **{CONF_ADD_TO_ENERGY: False})
    result = await decline_the_offer(hass, result)
    assert result["data"][CONF_ENCRYPTION_KEY] == KEY


async def test_a_key_that_somebody_gave_in_the_meantime_is_asked_for(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy
) -> None:
    """Ask for a key given by somebody else, and make no entry with the shown key."""
    form = await ask(proxy.port)
    proxy.key = KEY
    again = await submit(hass, form, **{CONF_ADD_TO_ENERGY: False})
    assert again["step_id"] == "native"
    assert sentence(again).startswith("The meter encrypts its connection.")


async def test_the_key_of_esphomes_entry_is_taken_over(
    hass: HomeAssistant, add_meter: AddMeter, proxy: NoiseProxy
) -> None:
    """A meter Home Assistant knows already asks for nothing but its address."""
    proxy.key = KEY
    esphome_entry(hass, KEY)
    entry = await add_meter(proxy.port)
    assert entry.data[CONF_ENCRYPTION_KEY] == KEY
    await state_where(hass, VOLTAGE, is_mains)


@pytest.mark.parametrize(
    ("key", "mac"),
    [(KEY, "02:4e:52:4a:00:99"), (OTHER_KEY, MAC), ("", MAC), ("damaged", MAC)],
    ids=["another device's", "an old one", "none", "a damaged one"],
)
async def test_a_key_of_esphome_that_does_not_fit_is_not_taken(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy, key: str, mac: str
) -> None:
    """The person is asked instead."""
    proxy.key = KEY
    esphome_entry(hass, key, mac)
    form = await ask(proxy.port)
    assert sentence(form).startswith("The meter encrypts its connection.")
    assert fields(form) == [CONF_ENCRYPTION_KEY]


async def test_a_meter_without_identification_asks_for_its_key(
    hass: HomeAssistant, ask: Ask
) -> None:
    """Older firmware says only its name before the key; no key can be looked up."""
    esphome_entry(hass, KEY)
    async with DeviceServer(Device(key=KEY, mac="")) as old:
        form = await ask(old.port)
        await old.wait_until_left()
    assert sentence(form).startswith("The meter encrypts its connection.")


def test_esphomes_entry_is_as_home_assistant_writes() -> None:
    """Read the key from the field in which ESPHome's integration keeps the key."""
    folder = Path(homeassistant.__file__).parent / "components" / ESPHOME_DOMAIN
    assert f'CONF_NOISE_PSK = "{ESPHOME_KEY}"' in (folder / "const.py").read_text()


async def test_no_key_is_given_to_another_esphome_device(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy
) -> None:
    """Give no key to an ESPHome device of another project."""
    async with DeviceServer(Device(project="acme.kettle")) as kettle:
        proxy._upstream = kettle.port
        form = await ask(proxy.port)
        assert "is an ESPHome device running acme.kettle" in sentence(form)
        await proxy.wait_until_left()
    assert proxy.current_key() is None


async def test_a_known_meter_is_given_no_second_key(
    hass: HomeAssistant, ask: Ask, firmware: RunningFirmware, proxy: NoiseProxy
) -> None:
    """Give no second key to a meter added again."""
    await ask(firmware.port)
    again = await ask(proxy.port)
    assert again["reason"] == "already_configured"
    assert proxy.current_key() is None


async def test_a_meter_added_without_a_key_gets_a_key_by_reconfiguring(
    hass: HomeAssistant,
    add_meter: AddMeter,
    firmware: RunningFirmware,
    proxy: NoiseProxy,
) -> None:
    """Give a key to an entry without a key when the meter now encrypts."""
    entry = await add_meter(firmware.port)
    assert CONF_ENCRYPTION_KEY not in entry.data
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    result = await submit(hass, form, **{CONF_HOST: HOST, CONF_PORT: proxy.port})
    assert result["reason"] == "reconfigure_successful"
    assert entry.data[CONF_ENCRYPTION_KEY] == proxy.current_key() is not None
    await state_where(hass, VOLTAGE, is_mains)


async def test_a_meter_that_takes_no_key_when_reconfigured(
    hass: HomeAssistant,
    add_meter: AddMeter,
    firmware: RunningFirmware,
    proxy: NoiseProxy,
) -> None:
    """Show the refusal of the key, and leave the entry unchanged."""
    entry = await add_meter(firmware.port)
    before = dict(entry.data)
    proxy.takes_keys = False
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    again = await submit(hass, form, **{CONF_HOST: HOST, CONF_PORT: proxy.port})
    assert sentence(again).startswith("The meter takes no key:")
    assert entry.data == before
    hass.config_entries.flow.async_abort(form["flow_id"])


async def test_a_key_whose_receipt_was_lost_when_reconfiguring_is_not_lost(
    hass: HomeAssistant,
    add_meter: AddMeter,
    firmware: RunningFirmware,
    proxy: NoiseProxy,
) -> None:
    """Find the given key in the meter when the form is sent again."""
    entry = await add_meter(firmware.port)
    proxy.loses_answers = True
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    address = {CONF_HOST: HOST, CONF_PORT: proxy.port}
    again = await submit(hass, form, **address)
    assert sentence(again).startswith("Nothing answered at")
    async with asyncio.timeout(patience(5)):
        while proxy.current_key() is None:
            await asyncio.sleep(0.01)
    result = await submit(hass, again, **address)
    assert result["reason"] == "reconfigure_successful"
    assert entry.data[CONF_ENCRYPTION_KEY] == proxy.current_key()


async def test_a_meter_that_was_reset_gets_a_new_key(
    hass: HomeAssistant,
    add_meter: AddMeter,
    proxy: NoiseProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Give a reset meter a new key, never the old key."""
    monkeypatch.setattr(session, "RETRY_PAUSE", 0.1)
    proxy.key = KEY
    entry = await add_meter(proxy.port, KEY)
    await state_where(hass, VOLTAGE, is_mains)
    await proxy.stop()
    proxy.key = None
    await proxy.start()
    await state_is(hass, VOLTAGE, "unavailable")
    async with asyncio.timeout(patience(5)):
        while not (flows := hass.config_entries.flow.async_progress_by_handler(DOMAIN)):
            await asyncio.sleep(0.01)
    assert flows[0]["context"]["source"] == SOURCE_REAUTH
    result = await submit(hass, flows[0])
    assert result["reason"] == "reauth_successful"
    assert entry.data[CONF_ENCRYPTION_KEY] == proxy.current_key()
    assert proxy.current_key() not in (None, KEY)
    await state_where(hass, VOLTAGE, is_mains)


async def test_a_key_changed_in_esphome_too_asks_nobody(
    hass: HomeAssistant, add_meter: AddMeter, proxy: NoiseProxy
) -> None:
    """Try the key from ESPHome's entry before asking a person."""
    proxy.key = KEY
    entry = await add_meter(proxy.port, KEY)
    await state_where(hass, VOLTAGE, is_mains)
    esphome_entry(hass, OTHER_KEY)
    await proxy.stop()
    proxy.key = OTHER_KEY
    await proxy.start()
    await state_is(hass, VOLTAGE, "unavailable")
    await state_where(hass, VOLTAGE, is_mains)
    assert entry.data[CONF_ENCRYPTION_KEY] == OTHER_KEY
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []


async def test_a_key_of_esphome_that_is_no_help_leaves_the_question_clean(
    hass: HomeAssistant, add_meter: AddMeter, proxy: NoiseProxy
) -> None:
    """The form does not begin with an error about a key nobody typed."""
    proxy.key = KEY
    entry = await add_meter(proxy.port, KEY)
    esphome_entry(hass, OTHER_KEY)
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert form["step_id"] == "reauth_confirm"
    assert not form["errors"]
    assert form["description_placeholders"] == {"name": "NRJ Meter"}


async def add_and_give_key(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy
) -> NrjConfigEntry:
    """Add a meter and give its first key on the way."""
    form = await ask(proxy.port)
    result = await submit(hass, form, **{CONF_ADD_TO_ENERGY: False})
    await state_where(hass, VOLTAGE, is_mains)
    entry: NrjConfigEntry = result["result"]
    return entry


async def test_a_removed_meter_is_left_without_the_given_key(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy
) -> None:
    """Take a given key back from a removed meter, so the meter can be added anew."""
    entry = await add_and_give_key(hass, ask, proxy)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert proxy.current_key() is None
    assert (await ask(proxy.port))["step_id"] == "new_key"


async def test_a_meter_that_got_a_new_address_still_gives_its_key_back(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy
) -> None:
    """Who gave the key is not forgotten over a new address."""
    entry = await add_and_give_key(hass, ask, proxy)
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    key = proxy.current_key()
    answers = {CONF_HOST: "localhost", CONF_PORT: proxy.port, CONF_ENCRYPTION_KEY: key}
    assert (await submit(hass, form, **answers))["reason"] == "reconfigure_successful"
    await hass.config_entries.async_remove(entry.entry_id)
    assert proxy.current_key() is None


async def test_a_key_esphome_uses_too_stays(
    hass: HomeAssistant, ask: Ask, proxy: NoiseProxy
) -> None:
    """Leave a shared key in a removed meter, so ESPHome's integration is not locked out."""
    entry = await add_and_give_key(hass, ask, proxy)
    key = proxy.current_key()
    assert key is not None
    esphome_entry(hass, key)
    await hass.config_entries.async_remove(entry.entry_id)
    assert proxy.current_key() == key


async def test_a_key_that_was_typed_stays(
    hass: HomeAssistant, add_meter: AddMeter, proxy: NoiseProxy
) -> None:
    """Leave a typed key in a removed meter: the person owns the key."""
    proxy.key = KEY
    entry = await add_meter(proxy.port, KEY)
    await hass.config_entries.async_remove(entry.entry_id)
    assert proxy.current_key() == KEY


async def test_a_meter_that_is_away_can_be_removed(
    hass: HomeAssistant,
    ask: Ask,
    proxy: NoiseProxy,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Log the key left in an absent meter on removal, without the key itself."""
    entry = await add_and_give_key(hass, ask, proxy)
    key = proxy.current_key()
    assert key is not None
    await proxy.stop()
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert "keeps the encryption key it was given" in caplog.text
    assert key not in caplog.text

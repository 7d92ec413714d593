"""A meter on an MQTT topic: a real Mosquitto, Home Assistant's own MQTT integration."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
import itertools
import json
from math import pi, sin
from pathlib import Path
import struct
import time
from typing import Any

from homeassistant.components import mqtt as mqtt_integration
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigFlowResult,
)
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.const import CONF_REPLACED, DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.flows import mqtt as flow_module
from custom_components.nrj_monitor.flows.mqtt import SHOWN_TOPICS, _Heard
from custom_components.nrj_monitor.sources import mqtt as source_module, timeout
from nrj_tools.ports import free_port
from tests.conftest import decline_the_offer
from tests.support.broker import Broker, Publisher
from tests.support.forms import sentence, typed
from tests.support.pace import patience
from tests.support.states import state_is, state_where

TOPIC = "meter/house"

pytestmark = pytest.mark.skipif(
    Broker.program() is None, reason="Mosquitto is not installed"
)

type Publish = Callable[[str, bytes | str], None]


@pytest.fixture
def broker(tmp_path: Path, socket_enabled: None) -> Generator[Broker]:
    """Run a broker."""
    with Broker(tmp_path, free_port()) as running:
        yield running


@pytest.fixture
def publisher(broker: Broker) -> Generator[Publisher]:
    """Connect somebody who publishes."""
    publisher = Publisher(broker.port)
    yield publisher
    publisher.close()


@pytest.fixture
async def mqtt(
    hass: HomeAssistant, unloaded: None, broker: Broker, mock_hass_config: None
) -> AsyncGenerator[None]:
    """Set up Home Assistant's MQTT integration with the broker."""
    entry = MockConfigEntry(
        domain="mqtt",
        data={"broker": "127.0.0.1", "port": broker.port, "discovery": False},
        # No word of Home Assistant's own comings and goings.
        options={"birth_message": {}, "will_message": {}},
        version=2,
        minor_version=1,
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    async with asyncio.timeout(patience(10)):
        while not mqtt_integration.is_connected(hass):
            await asyncio.sleep(0.05)
    yield
    for meter in hass.config_entries.async_entries(DOMAIN):
        await hass.config_entries.async_remove(meter.entry_id)
    if hass.config_entries.async_get_entry(entry.entry_id) is not None:
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait no longer than the tests need."""
    monkeypatch.setattr(flow_module, "LONGEST_WAIT", 1.5)
    monkeypatch.setattr(flow_module, "SETTLED", 0.4)


def message(volts: float = 230.0, watts: float = 1000.0) -> str:
    """Return a message in the form of a three-phase meter."""
    return json.dumps(
        {
            "voltage": [volts, volts + 1, volts + 2],
            "current": [watts / volts] * 3,
            "power": [watts, watts / 2, -watts],
            "frequency": 50.01,
        }
    )


@asynccontextmanager
async def publishing(
    publisher: Publisher, what: Callable[[], bytes | str], pause: float = 1 / 12
) -> AsyncGenerator[None]:
    """Publish over and over."""

    async def go_on() -> None:
        while True:
            publisher.publish(TOPIC, what())
            await asyncio.sleep(pause)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()


async def ask(
    hass: HomeAssistant, layout: str = "three_phases", topic: str = TOPIC
) -> ConfigFlowResult:
    """Fill in the form for a meter on a topic."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    form = await hass.config_entries.flow.async_configure(
        menu["flow_id"], {"next_step_id": "topic"}
    )
    if form["type"] is FlowResultType.ABORT:
        return form
    return await hass.config_entries.flow.async_configure(
        form["flow_id"], {"name": "House", "topic": topic, "layout": layout}
    )


async def past_progress(
    hass: HomeAssistant, result: ConfigFlowResult
) -> ConfigFlowResult:
    """Return the dialogue's result once its progress is over."""
    while result["type"] in (
        FlowResultType.SHOW_PROGRESS,
        FlowResultType.SHOW_PROGRESS_DONE,
    ):
        await asyncio.sleep(0.1)
        result = await hass.config_entries.flow.async_configure(result["flow_id"])
    return result


async def listened(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Return the dialogue's form after the listening."""
    result = await past_progress(hass, result)
    assert "step_id" in result, result
    return result


async def add(hass: HomeAssistant, layout: str = "three_phases") -> NrjConfigEntry:
    """Add the meter on the topic, which is publishing."""
    heard = await listened(hass, await ask(hass, layout))
    assert heard["step_id"] == "topic_heard", heard
    result = await hass.config_entries.flow.async_configure(heard["flow_id"], {})
    result = await decline_the_offer(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    entry: NrjConfigEntry = result["result"]
    return entry


async def test_a_topic_becomes_a_meter(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """Make a device without a MAC address from a topic's phases and total."""
    async with publishing(publisher, message):
        entry = await add(hass)
        await state_is(hass, "sensor.house_voltage_l3", "232.0")
        await state_is(hass, "sensor.house_active_power_l3", "-1000.0")
        await state_is(hass, "sensor.house_active_power", "500.0")
        await state_is(hass, "sensor.house_frequency", "50.01")
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.connections == set()
    assert device.name == "House"


async def test_missing_quantities_are_shown_before_anything_is_saved(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """A person sees which quantities were heard, and which of the usual were not."""
    text = json.dumps({"phase": 2, "voltage": 229.0})
    async with publishing(publisher, lambda: text):
        heard = await listened(hass, await ask(hass))
    assert heard["description_placeholders"] is not None
    assert heard["description_placeholders"]["found"] == "- Voltage: L2 229.0 V"
    assert "Frequency" in heard["description_placeholders"]["missing"]
    assert not hass.config_entries.async_entries(DOMAIN)


async def test_a_silent_topic_is_not_saved(hass: HomeAssistant, mqtt: None) -> None:
    """Show the form again with advice when a topic stays silent."""
    form = await listened(hass, await ask(hass))
    assert sentence(form).startswith("Nothing came on meter/house")


async def test_messages_of_another_kind_are_shown(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """Show the form again with the problem and a message as received."""
    async with publishing(publisher, lambda: '{"temperature": 21}'):
        form = await listened(hass, await ask(hass))
    assert "No voltage, current, power or frequency" in sentence(form)
    assert '{"temperature": 21}' in sentence(form)


async def test_a_topic_no_broker_knows_is_refused(
    hass: HomeAssistant, mqtt: None
) -> None:
    """Refuse an invalid topic beside its field."""
    form = await ask(hass, topic="a/#/b")
    assert form["errors"] == {"topic": "bad_topic"}


async def test_without_mqtt_the_dialogue_ends(
    hass: HomeAssistant, unloaded: None
) -> None:
    """End the dialogue with advice to set up MQTT first."""
    result = await ask(hass)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_mqtt"


async def test_without_a_broker_the_dialogue_ends(
    hass: HomeAssistant, mqtt: None, broker: Broker
) -> None:
    """Tell an absent broker from a silent topic."""
    await asyncio.to_thread(broker.stop)
    async with asyncio.timeout(patience(10)):
        while mqtt_integration.is_connected(hass):
            await asyncio.sleep(0.05)
    result = await past_progress(hass, await ask(hass))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "broker_away"
    assert not hass.config_entries.async_entries(DOMAIN)


async def test_a_mapping_leads_to_the_values(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """JSON of any form is read, and a wrong mapping is refused with its line."""
    async with publishing(publisher, lambda: '{"e": {"kw": 1.5, "list": [231]}}'):
        form = await listened(hass, await ask(hass, "mapped"))
        assert form["step_id"] == "topic_mapping"
        assert form["description_placeholders"] is not None
        assert '{"e": {"kw": 1.5' in form["description_placeholders"]["message"]
        example = typed(form)["mapping"]
        assert example["active_power"] == {"import": "P", "export": "PO"}
        form = await hass.config_entries.flow.async_configure(
            form["flow_id"], {"mapping": {"volts": "e.list.0"}}
        )
        assert "'volts' is not a quantity" in sentence(form)
        mapping = {
            "voltage_l1": "e.list.0",
            "active_power": {"path": "e.kw", "factor": 1000},
        }
        heard = await listened(
            hass,
            await hass.config_entries.flow.async_configure(
                form["flow_id"], {"mapping": mapping}
            ),
        )
        result = await hass.config_entries.flow.async_configure(heard["flow_id"], {})
        await decline_the_offer(hass, result)
        await state_is(hass, "sensor.house_active_power", "1500.0")
        await state_is(hass, "sensor.house_voltage_l1", "231.0")
        (entry,) = hass.config_entries.async_entries(DOMAIN)
        form = await hass.config_entries.flow.async_init(
            DOMAIN,
            context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id},
        )
        form = await listened(
            hass,
            await hass.config_entries.flow.async_configure(
                form["flow_id"], {"name": "House", "topic": TOPIC, "layout": "mapped"}
            ),
        )
        assert form["step_id"] == "topic_mapping"
        assert typed(form)["mapping"] == mapping, "the mapping is there to be changed"
        hass.config_entries.flow.async_abort(form["flow_id"])


async def test_a_counter_that_comes_once_a_minute_is_waited_for(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """A Shelly tells its powers at once and its energy later: both are found."""
    powers = {
        "id": 0,
        **{f"{phase}_voltage": 230.0 for phase in "abc"},
        **{f"{phase}_act_power": 500.0 for phase in "abc"},
    }
    energies = {
        "id": 0,
        **{f"{phase}_total_act_energy": 1000.0 for phase in "abc"},
        "total_act": 3000.0,
    }
    messages = itertools.chain(
        [{"params": {"em:0": powers}}] * 8,
        itertools.repeat({"params": {"emdata:0": energies}}),
    )
    async with publishing(publisher, lambda: json.dumps(next(messages))):
        heard = await listened(hass, await ask(hass, "shelly"))
    assert heard["description_placeholders"] is not None
    found = heard["description_placeholders"]["found"]
    assert "Import energy" in found


async def test_a_mapping_that_reads_nothing_can_be_corrected(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """Show the mapping again as typed, with the message that it does not fit."""
    mapping = {"voltage_l1": "not.there"}
    async with publishing(publisher, lambda: '{"u": 231}'):
        form = await listened(hass, await ask(hass, "mapped"))
        form = await listened(
            hass,
            await hass.config_entries.flow.async_configure(
                form["flow_id"], {"mapping": mapping}
            ),
        )
    assert form["step_id"] == "topic_mapping"
    assert "Nothing of the mapping" in sentence(form)
    assert typed(form)["mapping"] == mapping


async def test_found_means_that_a_value_was_read(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """A quantity that is null is not found, and one that was read shows its value."""
    text = '{"voltage": [230.15, null, null], "frequency": "50,02"}'
    async with publishing(publisher, lambda: text):
        heard = await listened(hass, await ask(hass))
    assert heard["description_placeholders"] is not None
    found = heard["description_placeholders"]["found"]
    assert found == "- Voltage: L1 230.2 V\n- Frequency: Σ 50.020 Hz"


@pytest.mark.parametrize("layout", ["three_phases", "opendtu", "shelly"])
async def test_three_messages_are_enough_to_tell_that_they_are_others(
    hass: HomeAssistant,
    mqtt: None,
    publisher: Publisher,
    monkeypatch: pytest.MonkeyPatch,
    layout: str,
) -> None:
    """The dialogue says so after three messages, however long it would wait for one."""
    monkeypatch.setattr(flow_module, "LONGEST_WAIT", 600)
    async with publishing(publisher, lambda: '{"temperature": 21}'):
        async with asyncio.timeout(patience(8)):
            form = await listened(hass, await ask(hass, layout))
    assert form["errors"] == {"base": "not_understood"}


async def test_a_makes_topics_become_a_meter(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """Plain numbers on a topic each drive the same entities."""
    values = {"0/power": "-40.5", "1/voltage": "229,9", "0/total": "1500000"}

    async def tell() -> None:
        while True:
            for topic, value in values.items():
                publisher.publish(f"shellies/em/emeter/{topic}", value)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(tell())
    heard = await listened(hass, await ask(hass, "shelly_gen1", "shellies/em/emeter/#"))
    result = await hass.config_entries.flow.async_configure(heard["flow_id"], {})
    await decline_the_offer(hass, result)
    await state_is(hass, "sensor.house_active_power_l1", "-40.5")
    await state_is(hass, "sensor.house_voltage_l2", "229.9")
    await state_is(hass, "sensor.house_import_energy_l1", "1500.0")
    task.cancel()


async def test_mqtt_that_is_removed_during_the_dialogue_ends_it(
    hass: HomeAssistant, mqtt: None
) -> None:
    """End the dialogue with advice, with no exception, when MQTT goes before listening."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    form = await hass.config_entries.flow.async_configure(
        menu["flow_id"], {"next_step_id": "topic"}
    )
    (entry,) = hass.config_entries.async_entries("mqtt")
    await hass.config_entries.async_remove(entry.entry_id)
    result = await past_progress(
        hass,
        await hass.config_entries.flow.async_configure(
            form["flow_id"],
            {"name": "House", "topic": TOPIC, "layout": "three_phases"},
        ),
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "broker_away"


async def test_a_flood_is_left_out_and_logged_once(
    hass: HomeAssistant,
    mqtt: None,
    publisher: Publisher,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand messages in an instant cost one line of the log, and no reading."""
    # A slow machine delivers a thousand messages in seconds, which is no flood.
    monkeypatch.setattr(source_module, "MAX_RATE", 40)
    async with publishing(publisher, message):
        await add(hass)
        for _ in range(2):
            for _ in range(1500):
                publisher.publish(TOPIC, message())
            await asyncio.sleep(1.2)
        await state_is(hass, "sensor.house_voltage_l1", "230.0")
    floods = [r for r in caplog.records if "messages a second" in r.getMessage()]
    assert [record.levelname for record in floods] == ["WARNING"]


async def test_frames_become_readings(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """The binary messages of the forecaster's sensors drive the same entities."""
    powers = (1_500_000, 250_000, -500_000, 0, 0, 0)
    frame = struct.pack("<Bd12sBqqqqqq", 16, 1.7e9, b"sensor-00001", 0, *powers)
    async with publishing(publisher, lambda: frame):
        await add(hass, "frames")
        await state_is(hass, "sensor.house_active_power", "1250.0")
        await state_is(hass, "sensor.house_active_power_l3", "-500.0")


async def test_twelve_messages_a_second_become_true_means(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """Write at most a state per second, and keep the mean of all messages."""
    sent: list[float] = []

    def swinging() -> str:
        sent.append(1000 + 300 * sin(2 * pi * len(sent) / 7))
        return message(watts=sent[-1])

    async with publishing(publisher, swinging):
        await add(hass)
        states: list[tuple[float, float]] = []
        await state_where(
            hass, "sensor.house_active_power_l1", lambda state: state.state[0].isdigit()
        )

        @callback
        def on_state(event: Event[EventStateChangedData]) -> None:
            state = event.data["new_state"]
            assert state is not None
            states.append((state.last_updated_timestamp, float(state.state)))

        stop = async_track_state_change_event(
            hass, "sensor.house_active_power_l1", on_state
        )
        await asyncio.sleep(12)
        stop()
    gaps = [later[0] - earlier[0] for earlier, later in itertools.pairwise(states)]
    assert len(states) >= 5
    assert min(gaps) >= 0.99
    area = sum(gap * value for gap, (_, value) in zip(gaps, states, strict=False))
    assert area / sum(gaps) == pytest.approx(1000, abs=60)


async def test_a_broker_that_goes_takes_the_meter_along(
    hass: HomeAssistant, mqtt: None, broker: Broker, publisher: Publisher
) -> None:
    """Make the meter unavailable without its broker, and available after the broker's return."""
    async with publishing(publisher, message):
        await add(hass)
        await state_is(hass, "sensor.house_voltage_l1", "230.0")
        await asyncio.to_thread(broker.stop)
        await state_is(hass, "sensor.house_voltage_l1", "unavailable")
        await asyncio.to_thread(broker.start)
        await state_is(hass, "sensor.house_voltage_l1", "230.0", within=30)


type UntilLearnt = Callable[[], Awaitable[None]]


@pytest.fixture
def until_learnt(monkeypatch: pytest.MonkeyPatch) -> UntilLearnt:
    """Return a function to wait until the rhythm of all that tells from now on is known."""
    update = timeout.AdaptiveTimeout.update
    told: set[timeout.AdaptiveTimeout] = set()

    def note(teller: timeout.AdaptiveTimeout, now: float) -> None:
        update(teller, now)
        told.add(teller)

    monkeypatch.setattr(timeout.AdaptiveTimeout, "update", note)

    async def wait() -> None:
        told.clear()
        async with asyncio.timeout(patience(20)):
            while not told or not all(teller._is_learnt for teller in told):
                await asyncio.sleep(0.05)

    return wait


async def test_a_meter_that_falls_silent_is_unavailable(
    hass: HomeAssistant,
    mqtt: None,
    publisher: Publisher,
    monkeypatch: pytest.MonkeyPatch,
    until_learnt: UntilLearnt,
) -> None:
    """Make a silent meter unavailable after some gaps of its own rhythm."""
    monkeypatch.setattr(timeout, "MINIMUM", 1.0)
    async with publishing(publisher, message):
        await add(hass)
        await state_is(hass, "sensor.house_voltage_l1", "230.0")
        await until_learnt()
    await state_is(hass, "sensor.house_voltage_l1", "unavailable", within=10)
    async with publishing(publisher, message):
        await state_is(hass, "sensor.house_voltage_l1", "230.0")


@pytest.mark.parametrize("joined", [True, False])
async def test_a_topic_that_dies_takes_its_readings_along(
    hass: HomeAssistant,
    mqtt: None,
    publisher: Publisher,
    monkeypatch: pytest.MonkeyPatch,
    until_learnt: UntilLearnt,
    *,
    joined: bool,
) -> None:
    """Each topic has its own rhythm: the value of a dead one is not kept by the others."""
    monkeypatch.setattr(timeout, "MINIMUM", 0.5)
    monkeypatch.setattr(source_module, "WATCH_INTERVAL", 0.05)
    here, there = f"{TOPIC}/here", f"{TOPIC}/there"
    power = {"path": "w", "topic": "here"} | (
        {"minus": {"path": "w", "topic": "there"}} if joined else {"topic": "there"}
    )
    told = {here: {"u": 231, "w": 700}, there: {"w": 200, "e": 12.5}}
    mapping = {
        "voltage_l1": {"path": "u", "topic": "here"},
        "active_power_l1": power,
        "import_energy": {"path": "e", "topic": "there"},
    }

    async def speak() -> None:
        while True:
            for topic, message in told.items():
                publisher.publish(topic, json.dumps(message))
            await asyncio.sleep(1 / 12)

    task = asyncio.create_task(speak())
    watts = "500.0" if joined else "200.0"
    try:
        form = await listened(hass, await ask(hass, "mapped", f"{TOPIC}/+"))
        heard = await listened(
            hass,
            await hass.config_entries.flow.async_configure(
                form["flow_id"], {"mapping": mapping}
            ),
        )
        result = await hass.config_entries.flow.async_configure(heard["flow_id"], {})
        await decline_the_offer(hass, result)
        await state_is(hass, "sensor.house_active_power_l1", watts)
        await until_learnt()
        message = told.pop(there)
        await state_is(hass, "sensor.house_active_power_l1", "unknown", within=10)
        await state_is(hass, "sensor.house_active_power", "unknown")
        assert hass.states.is_state("sensor.house_voltage_l1", "231.0")
        assert hass.states.is_state("sensor.house_import_energy", "12.5")
        told[there] = message
        await state_is(hass, "sensor.house_active_power", watts)
    finally:
        task.cancel()


async def test_a_retained_message_is_not_of_now(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """Ignore a retained message as a reading."""
    publisher.publish(TOPIC, message(), retain=True)
    form = await listened(hass, await ask(hass))
    assert sentence(form).startswith("Nothing came")


async def test_damaged_messages_are_left_out_and_logged_once(
    hass: HomeAssistant,
    mqtt: None,
    publisher: Publisher,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Log a single warning for damaged messages, and keep the good messages."""
    async with publishing(publisher, message):
        await add(hass)
        for _ in range(5):
            publisher.publish(TOPIC, b"\xff{")
        await asyncio.sleep(0.5)
        await state_is(hass, "sensor.house_voltage_l1", "230.0")
    warnings = [r for r in caplog.records if "is left out" in r.getMessage()]
    assert [record.levelname for record in warnings if record.levelno >= 30] == [
        "WARNING"
    ]


async def test_a_topic_is_set_up_once(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """Refuse the same topic a second time."""
    async with publishing(publisher, message):
        await add(hass)
        heard = await listened(hass, await ask(hass))
        result = await hass.config_entries.flow.async_configure(heard["flow_id"], {})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_another_topic_keeps_the_entities(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """Keep the sensors of a meter reconfigured to another topic."""

    def unique_ids(entry: Any) -> set[str]:
        registry = er.async_get(hass)
        return {
            entity.unique_id
            for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
        }

    async with publishing(publisher, message):
        entry = await add(hass)
        before = unique_ids(entry)
        form = await hass.config_entries.flow.async_init(
            DOMAIN,
            context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id},
        )
        assert form["step_id"] == "reconfigure_topic"
        heard = await listened(
            hass,
            await hass.config_entries.flow.async_configure(
                form["flow_id"],
                {"name": "Barn", "topic": "meter/+", "layout": "three_phases"},
            ),
        )
        result = await hass.config_entries.flow.async_configure(heard["flow_id"], {})
        assert result["reason"] == "reconfigure_successful"
        await hass.async_block_till_done()
        await state_is(hass, "sensor.house_voltage_l1", "230.0")
    assert unique_ids(entry) == before
    assert entry.data["topic"] == "meter/+"
    assert entry.title == "Barn"


async def test_a_new_meter_on_another_topic_begins_a_count(
    hass: HomeAssistant, mqtt: None, publisher: Publisher
) -> None:
    """It is kept when it came and what the old one told last; a later change keeps that."""

    async def reconfigure(topic: str, *, new_meter: bool) -> Any:
        form = await hass.config_entries.flow.async_init(
            DOMAIN,
            context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id},
        )
        answers = {"name": "House", "topic": topic, "layout": "three_phases"}
        heard = await listened(
            hass,
            await hass.config_entries.flow.async_configure(
                form["flow_id"], answers | {"new_meter": new_meter}
            ),
        )
        result = await hass.config_entries.flow.async_configure(heard["flow_id"], {})
        assert result["reason"] == "reconfigure_successful"
        await hass.async_block_till_done()
        return entry.data.get(CONF_REPLACED)

    async with publishing(publisher, message):
        entry = await add(hass)
        assert await reconfigure("meter/#", new_meter=False) is None
        replaced = await reconfigure("meter/+", new_meter=True)
        assert replaced["time"] == pytest.approx(time.time(), abs=60)
        assert await reconfigure("meter/#", new_meter=False) == replaced
        await state_is(hass, "sensor.house_voltage_l1", "230.0")


async def test_only_the_first_topics_are_shown() -> None:
    """A wildcard that matches a whole house fills no dialogue."""
    heard = _Heard(None)
    for number in range(SHOWN_TOPICS + 1):
        heard.add(b"1", f"house/{number}")
    assert list(heard.messages) == [f"house/{n}" for n in range(SHOWN_TOPICS)]

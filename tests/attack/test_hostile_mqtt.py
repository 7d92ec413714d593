"""Hostile MQTT messages and entities: whatever they tell, the promises hold."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import json
import time
from typing import Any

from homeassistant.components.mqtt.models import DATA_MQTT
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st
from paho.mqtt.client import MQTTMessage
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components import nrj_monitor
from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.sources.mqtt_layouts import LAYOUTS
from tests.attack.statistics import check_statistics
from tests.support.attack import Promises, check_files, examples, give, watched
from tests.support.hostile import TEXTS, WORDS, json_values

pytestmark = pytest.mark.usefixtures("recorder", "integration")

CHANNELS = (
    *("voltage_l1", "current_l1", "active_power_l1", "active_power"),
    *("frequency", "import_energy", "export_energy", "power_factor_l1"),
)
MAPPING = {
    "voltage_l1": "L1.voltage",
    "active_power": {"import": "P", "export": "PO"},
    "import_energy": {"path": ["tariff_1", "tariff_2"], "factor": 0.001},
}
MESSAGES: tuple[Mapping[str, Any], ...] = (
    {"voltage": [230, 231, 232], "power": 1000, "frequency": 50, "import_energy": 5},
    {"L1": {"voltage": 230.1}, "P": 100, "PO": 0, "tariff_1": 1000, "tariff_2": 5},
    {"ENERGY": {"Voltage": [230, 230, 230], "Power": [1, 2, 3], "Total": [1.5]}},
    {"SML": {"Power_in": 5, "Power_out": 0, "Total_in": 12.5}},
    {"em:0": {"a_voltage": 230, "a_act_power": 5}, "emdata:0": {"total_act": 7}},
    {"data": {"P": 300, "PO": 0, "U1": 230, "tPI": 12.5}},
    {"nrg": [230, 230, 230, 0, 1, 2, 3, 400, 500, 600, 0, 1500], "eto": 5000},
)
"""A good message of each kind of layout."""

TOPICS = tuple(
    f"meter/{layout}{place}"
    for layout in LAYOUTS
    for place in ("", "/emeter/0/power", "/sensor/power/state", "/em1:0/[x](y)")
)


def _names(message: Any) -> list[str]:
    """Return all names in a message."""
    if not isinstance(message, dict):
        return []
    return [*message, *(name for inner in message.values() for name in _names(inner))]


def _damaged(message: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Return messages in which what some names stand for is something else."""

    def replaced(value: Any, changes: Mapping[str, Any]) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            key: changes.get(key, replaced(inner, changes))
            for key, inner in value.items()
        }

    return st.dictionaries(
        st.sampled_from(_names(message)), json_values(), min_size=1, max_size=3
    ).map(lambda changes: json.dumps(replaced(message, changes)).encode())


PAYLOADS = st.one_of(
    st.sampled_from(MESSAGES).flatmap(_damaged),
    st.sampled_from(MESSAGES).map(lambda message: json.dumps(message).encode()),
    json_values().map(lambda value: json.dumps(value).encode()),
    WORDS.map(lambda text: text.encode(errors="replace")),
    st.binary(max_size=200),
    st.binary(min_size=106, max_size=106).map(b"\x11".__add__),
    st.sampled_from(("[", "{", '{"a":', "9", '{"L1":[', '"')).map(
        lambda text: (text * 20000).encode()
    ),
    st.sampled_from(("{}", "[1]", '{"voltage":1}')).map(
        lambda inner: (
            "{" + ",".join(f'"k{n}":{inner}' for n in range(3000)) + "}"
        ).encode()
    ),
)

type Attack = Callable[[HomeAssistant], Awaitable[None] | None]


def _receive(hass: HomeAssistant, topic: str, payload: bytes) -> None:
    """Give Home Assistant's MQTT client a message, as its library does."""
    message = MQTTMessage(topic=topic.encode())
    message.payload = payload
    message.timestamp = time.monotonic()
    client: Any = hass.data[DATA_MQTT].client
    client._async_mqtt_on_message(None, None, message)


def _message(topic: str, payload: bytes) -> Attack:
    return lambda hass: _receive(hass, topic, payload)


def _flood(topic: str, payload: bytes) -> Attack:
    """Return a thousand messages in an instant, as many at once as a socket gives."""

    async def send(hass: HomeAssistant) -> None:
        for _ in range(20):
            for _ in range(50):
                _receive(hass, topic, payload)
            await asyncio.sleep(0)

    return send


def _entity(name: str, state: str, unit: Any) -> Attack:
    return lambda hass: hass.states.async_set(
        f"sensor.{name}", state[:255], {"unit_of_measurement": unit}
    )


INPUTS: st.SearchStrategy[Attack] = st.one_of(
    st.builds(_message, st.sampled_from(TOPICS), PAYLOADS),
    st.builds(_message, st.sampled_from(TOPICS), PAYLOADS),
    st.builds(
        _entity,
        st.sampled_from(CHANNELS),
        WORDS | st.sampled_from(("230", "1e300", "-1e300", "unavailable")),
        st.sampled_from((None, "V", "kWh", "W", "MW", "Hz", "%")) | json_values(),
    ),
)
FLOODS = st.builds(_flood, st.sampled_from(TOPICS), PAYLOADS | TEXTS.map(str.encode))


@pytest.fixture
def recorder(recorder_mock: object) -> None:
    """Run a recorder, which must start before Home Assistant."""


def _entries() -> list[MockConfigEntry]:
    """Return a meter of each layout, and one made of entities."""

    def entry(id_: str, **data: Any) -> MockConfigEntry:
        meter = {
            "mac": id_,
            "name": id_,
            "manufacturer": "NRJ Monitor",
            "model": "MQTT",
            "hardware": "",
            "software": "",
            "channels": list(CHANNELS),
            "relays": {},
        }
        return MockConfigEntry(
            domain=DOMAIN,
            title=id_,
            unique_id=id_,
            entry_id=id_,
            minor_version=3,
            data={"meter": meter, **data},
        )

    return [
        *(
            entry(
                layout,
                source="mqtt",
                topic=f"meter/{layout}/#",
                layout=layout,
                mapping=MAPPING if layout == "mapped" else None,
                channels=list(CHANNELS),
            )
            for layout in LAYOUTS
        ),
        entry(
            "entities",
            source="entities",
            phases=1,
            readings={
                channel: {
                    "entity_ids": [f"sensor.{channel}"],
                    "subtracted": [],
                    "inverted": False,
                }
                for channel in CHANNELS
            },
        ),
    ]


async def test_whatever_a_topic_or_an_entity_tells_the_promises_hold(
    hass: HomeAssistant,
    mqtt_mock: object,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After every sequence of inputs: loop, log, states, files, statistics, reload."""
    # A topic on which nothing comes has no outcome to wait for.
    monkeypatch.setattr(nrj_monitor, "FIRST_OUTCOME_TIMEOUT", 0.01)
    entries = _entries()
    for entry in entries:
        entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entries[0].entry_id)
    await hass.async_block_till_done()
    loop = asyncio.get_running_loop()
    with watched("mqtt", meters=len(entries)) as promises:

        @examples(40)
        @given(st.lists(INPUTS, min_size=12, max_size=40), st.lists(FLOODS, max_size=1))
        def run(inputs: list[Attack], floods: list[Attack]) -> None:
            give(loop, _try(hass, promises, [*inputs, *floods]))

        await asyncio.to_thread(run)
        for entry in entries:
            assert await hass.config_entries.async_reload(entry.entry_id)
            assert entry.state is ConfigEntryState.LOADED
        promises.check(hass)
    await check_statistics(hass)
    check_files(hass_storage)
    for entry in entries:
        assert await hass.config_entries.async_unload(entry.entry_id)


async def _try(hass: HomeAssistant, promises: Promises, inputs: list[Attack]) -> None:
    """Give inputs to Home Assistant, and check the promises."""
    for one in inputs:
        if (waiting := one(hass)) is not None:
            await waiting
        promises.inputs += 1
        await asyncio.sleep(0)
    await hass.async_block_till_done()
    promises.check(hass)

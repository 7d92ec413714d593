"""Hostile meter: whatever comes over the native API, the promises hold."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
import json
import time
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from hypothesis import given, strategies as st
import pytest

from custom_components.nrj_monitor.backfill import manager as manager_module
from custom_components.nrj_monitor.backfill.journal import Flag
from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState
from custom_components.nrj_monitor.power_quality.event import KINDS
from custom_components.nrj_monitor.sources.native_api import events
from tests.attack.statistics import check_statistics
from tests.backfill.journal_pages import page, record
from tests.conftest import AddMeter
from tests.support.attack import Promises, check_files, examples, give, watched
from tests.support.device import PB, Device, DeviceServer
from tests.support.hostile import FLOATS, NUMBERS, TEXTS, damaged
from tests.support.pace import patience
from tests.support.states import state_is

pytestmark = pytest.mark.usefixtures("recorder")

SENSORS = {
    "Voltage L1": 230.0,
    "Active power L1": 1500.0,
    "Active power": 1500.0,
    "Import energy": 12.5,
    "Import energy L1": 12.5,
    "Frequency": 50.0,
}
TEXT_SENSORS = (
    *("Calibration codes", "Calibration corrections", "Clock", "Guard reason"),
    *("Guard state", "Over range", "Wiring", "Wiring codes"),
)
SETTINGS = ("Guard", "Guard profile", "Guard shed 1 frequency")

type Attack = Callable[[HomeAssistant, NrjConfigEntry, DeviceServer], Any]


@dataclass(frozen=True)
class Input:
    """An input, told by its words where a promise is broken."""

    words: str
    attack: Attack

    def __repr__(self) -> str:
        """Return the words."""
        return self.words[:500]


def _event(kind: str) -> Callable[[dict[str, str]], Input]:
    def make(data: dict[str, str]) -> Input:
        return Input(f"{kind} {data}", lambda _h, _e, server: server.tell(kind, data))

    return make


POWER_QUALITY = {
    "boot": "7",
    "number": "1",
    "kind": "dip",
    "phase": "L1",
    "started_ms_ago": "1000",
    "duration_ms": "20",
    "extreme": "115.0",
    "unit": "V",
    "ongoing": "0",
    "estimated": "0",
    "quantity": "voltage",
    "restored": "0",
}
GUARD = {
    "boot": "7",
    "number": "1",
    "what": "state",
    "state": "shed_1",
    "reason": "low_frequency",
    "frequency": "49.7",
    "relay": "Relay 1",
    "on": "1",
    "happened_ms_ago": "1000",
}
WAVE = {
    "boot": "7",
    "number": "1",
    "page": "0",
    "pages": "1",
    "started_ms_ago": "100",
    "channels": "IL1,UL1",
    "points_per_cycle": "128",
    "volts_per_code": "0.02",
    "amperes_per_code": "0.002",
    "data": "AAAAAAAAAAA=",
}

RECORDS = st.builds(
    record,
    st.sampled_from((0, 1, 60, 3600, 10**9, 2**64 - 1)),
    st.tuples(*[st.sampled_from((0, 1, 10**6, 10**15, 2**64 - 1))] * 8),
    count=st.sampled_from((0, 1, 1, 1, 2**31, 2**64 - 1)),
    flags=st.integers(0, 127).map(Flag),
    start=st.sampled_from((0, 1, 10**9, 1_790_000_000, 2**64 - 1)),
    boot=st.integers(0, 9),
    start_uptime=st.sampled_from((0, 60, 2**32, 2**64 - 1)),
    frequency=st.none() | st.tuples(*[st.integers(-(2**40), 2**40)] * 3),
)


@st.composite
def _journal(draw: st.DrawFn) -> Input:
    """Return a page, whose place is right and whose content is anything."""
    records = draw(st.lists(RECORDS, max_size=5))
    newest = draw(st.integers(0, 400))
    times = st.sampled_from(("", "0", "1000", "1790000000", "4000000000", "9" * 20))
    data = draw(
        damaged(
            page(
                records,
                boot=draw(st.integers(0, 40)),
                after=newest,
                last=newest + len(records),
                newest=newest + draw(st.integers(0, 5)),
                begin_time=draw(times),
                boot_time=draw(times),
                begin_uptime=draw(times),
                uptime_ms=draw(st.sampled_from(("0", "3600000", str(10**15)))),
                counters=",".join(
                    str(draw(st.sampled_from((0, 10**8, 10**15, 2**64 - 1))))
                    for _ in range(8)
                ),
            )
        )
    )
    is_known = draw(st.booleans())

    def send(_h: HomeAssistant, _e: NrjConfigEntry, server: DeviceServer) -> None:
        client = {"client": server.client} if is_known else {}
        server.tell(events.JOURNAL_EVENT, data | client)

    return Input(f"journal {data}", send)


def _state(message: Any, name: str) -> Input:
    return Input(
        f"{name}: {message}", lambda _h, _e, server: server.state(message(), name)
    )


STATES = st.one_of(
    st.builds(
        lambda name, value, missing: _state(
            lambda: PB.SensorStateResponse(state=value, missing_state=missing), name
        ),
        st.sampled_from(sorted(SENSORS)),
        FLOATS,
        st.booleans(),
    ),
    st.builds(
        lambda name, text: _state(lambda: PB.TextSensorStateResponse(state=text), name),
        st.sampled_from(TEXT_SENSORS),
        st.one_of(TEXTS, st.sampled_from(("shed_1", "none", "right", "no_voltage:V3"))),
    ),
    st.builds(
        lambda name, on: _state(lambda: PB.SwitchStateResponse(state=on), name),
        st.sampled_from(("Relay 1", "Guard", "Nobody")),
        st.booleans(),
    ),
    st.builds(
        lambda value: _state(
            lambda: PB.NumberStateResponse(state=value), "Guard shed 1 frequency"
        ),
        FLOATS,
    ),
    st.builds(
        lambda text: _state(
            lambda: PB.SelectStateResponse(state=text), "Guard profile"
        ),
        TEXTS,
    ),
)


def _flood(kind: str, data: dict[str, str]) -> Input:
    """Return a thousand events in an instant, each another one."""

    async def send(_h: HomeAssistant, _e: NrjConfigEntry, server: DeviceServer) -> None:
        await server.flood(
            kind, [{**data, "number": str(number)} for number in range(1000)]
        )

    return Input(f"a thousand of {kind}", send)


async def _reload(hass: HomeAssistant, entry: NrjConfigEntry, _: DeviceServer) -> None:
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


@st.composite
def _heal(draw: st.DrawFn) -> Input:
    """Return a healing whose pages a meter can have, but for their times and counts."""
    now = int(time.time())
    ages = st.sampled_from((0, 1000, now - 10**9, now - 86400, now - 7200, now + 10**6))
    pages, after, total = [], 0, 10**8
    for _ in range(draw(st.integers(1, 3))):
        count, span, gain = (
            draw(st.sampled_from(values))
            for values in ((1, 40, 400), (0, 60, 3600, 10**6), (0, 10**4, 10**15))
        )
        records = [record(span, (gain,) * 8, voltages=((11500, 11400, 11600),) * 3)]
        pages.append(
            page(
                records * count,
                boot=draw(st.integers(1, 3)),
                after=after,
                last=after + count,
                newest=after + count,
                begin_time=draw(ages | st.just("")),
                begin_uptime=draw(st.sampled_from(("", "0", "60", str(2**32 - 1)))),
                uptime_ms=draw(st.sampled_from(("0", "3600000", str(10**12)))),
                counters=",".join([str(total)] * 8),
            )
        )
        after += count
        total += gain * count
    is_dry = draw(st.booleans())

    async def heal(
        hass: HomeAssistant, entry: NrjConfigEntry, server: DeviceServer
    ) -> None:
        server.pages = pages
        with suppress(HomeAssistantError):
            answer = await hass.services.async_call(
                DOMAIN,
                "heal_history",
                {"config_entry_id": entry.entry_id, "dry_run": is_dry},
                blocking=True,
                return_response=True,
            )
            assert len(json.dumps(answer)) < 1_000_000
        server.pages = []

    return Input(f"heal with {pages}", heal)


def _reconnect(name: str, version: str, relay: str) -> Input:
    """Return a new link on which the device says other things of itself."""

    async def connect(
        hass: HomeAssistant, entry: NrjConfigEntry, server: DeviceServer
    ) -> None:
        server.device.friendly_name = name
        server.device.project_version = version
        server.device.relays = {"Relay 1": False, relay: True}
        await server.stop()
        await server.start()
        await server.wait_until_joined(20)
        await hass.async_block_till_done()

    return Input(f"reconnect as {name!r} {version!r} {relay!r}", connect)


def _noise(noise: bytes) -> Input:
    """Return bytes outside of the protocol, after which the link is cut.

    The client may wait for the rest of what looks like the begin of a message.
    """

    async def send(_h: HomeAssistant, _e: NrjConfigEntry, server: DeviceServer) -> None:
        server.garble(noise)
        await asyncio.sleep(0.02)
        await server.stop()
        await server.start()

    return Input(f"noise {noise!r}", send)


RARE = st.one_of(
    st.just(Input("reload", _reload)),
    _heal(),
    _heal(),
    st.builds(_reconnect, TEXTS, TEXTS, TEXTS),
    st.just(_flood(events.EVENT, POWER_QUALITY)),
    st.just(_flood(events.GUARD_EVENT, GUARD)),
    st.just(_flood(events.JOURNAL_EVENT, dict(page([record(60)])))),
    st.binary(max_size=40).map(_noise),
)

INPUTS = st.one_of(
    STATES,
    STATES,
    _journal(),
    _journal(),
    damaged(POWER_QUALITY).map(_event(events.EVENT)),
    st.builds(
        lambda kind, number, data: _event(events.EVENT)(
            {**data, "kind": kind, "number": number}
        ),
        st.sampled_from(KINDS),
        NUMBERS,
        damaged(POWER_QUALITY),
    ),
    damaged(GUARD).map(_event(events.GUARD_EVENT)),
    st.builds(
        lambda state, data: _event(events.GUARD_EVENT)({**data, "state": state}),
        st.sampled_from([state.value for state in GuardState]),
        damaged(GUARD),
    ),
    damaged(WAVE).map(_event(events.OSCILLOGRAM_EVENT)),
)

# The rare ones are drawn first: what is drawn last is cut where an example grows long.
SEQUENCES = st.builds(
    lambda rare, often: [*rare, *often],
    st.lists(RARE, max_size=1),
    st.lists(INPUTS, min_size=6, max_size=16),
)


@pytest.fixture
def recorder(recorder_mock: object) -> None:
    """Run a recorder, which must start before Home Assistant."""


@pytest.fixture
async def hostile(socket_enabled: None) -> AsyncGenerator[DeviceServer]:
    """Return a meter that says whatever a test wants."""
    device = Device(
        sensors=dict(SENSORS),
        texts=dict.fromkeys(TEXT_SENSORS, ""),
        relays={"Relay 1": False},
        settings={"Guard": True},
        actions=dict.fromkeys(
            (
                *("guard_events", "power_quality_events", "power_quality_oscillogram"),
                *("journal_open", "journal_acknowledge", "check_wiring"),
            ),
            (True, ""),
        ),
    )
    async with DeviceServer(device) as running:
        yield running


@pytest.fixture
async def entry(
    hass: HomeAssistant,
    add_meter: AddMeter,
    hostile: DeviceServer,
    monkeypatch: pytest.MonkeyPatch,
) -> NrjConfigEntry:
    """Return the entry of the hostile meter."""
    monkeypatch.setattr(manager_module, "FETCH_TIMEOUT", 0.05)
    monkeypatch.setattr(events, "SETTLING", 0.01)
    monkeypatch.setattr(events, "PAGE_TIMEOUT", 0.02)
    return await add_meter(hostile.port)


@pytest.mark.usefixtures("impatient")
async def test_whatever_a_meter_sends_the_promises_hold(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    hostile: DeviceServer,
    hass_storage: dict[str, Any],
) -> None:
    """After every sequence of inputs: loop, log, states, files, statistics, reload."""
    loop = asyncio.get_running_loop()
    with watched("meter") as promises:

        @examples(50)
        @given(SEQUENCES)
        def run(inputs: list[Input]) -> None:
            give(loop, _try(hass, entry, hostile, promises, inputs))

        await asyncio.to_thread(run)
        await _link_up(entry, hostile)
        await _reload(hass, entry, hostile)
        await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")
    await check_statistics(hass)
    check_files(hass_storage)


async def _try(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    server: DeviceServer,
    promises: Promises,
    inputs: list[Input],
) -> None:
    """Give inputs to Home Assistant, and check the promises."""
    await _link_up(entry, server)
    for one in inputs:
        if (waiting := one.attack(hass, entry, server)) is not None:
            await waiting
        promises.inputs += 1
    await server.settle()
    promises.check(hass)


async def _link_up(entry: NrjConfigEntry, server: DeviceServer) -> None:
    """Wait until a meter that is named as a meter should be is connected."""
    device = server.device
    device.friendly_name, device.project_version = "NRJ Meter", "1.0.0"
    device.relays = {"Relay 1": False}
    async with asyncio.timeout(patience(20)):
        while not (entry.runtime_data.meter.connected and server.is_subscribed):
            await asyncio.sleep(0.01)

"""Action that plays a meter's past, or an uploaded recording, to its own settings.

It decides with a guard and an arbiter of its own, and switches nothing.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched
import time
from typing import Any, Final
import zlib

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.components.sensor.const import UNIT_CONVERTERS
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.selector import FileSelector
from homeassistant.helpers.service import (
    async_get_config_entry,
    async_register_admin_service,
)
from homeassistant.util import dt as dt_util
import probatio as vol

from ..catalog import CHANNELS
from ..const import DOMAIN
from ..control.load import Load
from ..control.supply import PHASES, Supply
from ..entry_data import NrjConfigEntry
from ..frequency_guard.guard import GuardSettings
from ..loads.limits import overload_monitors
from ..loads.managed_device import ManagedDevice
from ..loads.settings import load_entries, load_of
from ..texts import async_text
from . import recording
from .errors import ReplayError
from .guard_settings import UnknownGuardError, guard_settings
from .guards import NoGuard, TwinGuard
from .house import House
from .moments import Row
from .recorded_past import PastSensors, read_past, state_at
from .recording import Recording
from .replay import Replay
from .report import summary_of, timeline_of

REPLAY: Final = "replay"

ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
ATTR_START: Final = "start"
ATTR_END: Final = "end"
ATTR_RECORDING: Final = "recording"

DAY: Final = timedelta(days=1)
LONGEST: Final = timedelta(days=31)

UPLOADED: Final = "recording"
"""Source of an answer, beside those of the recorder."""

SOURCES: Final = "selector.replay_source.options"

ROWS_AT_ONCE: Final = 256
PAUSE: Final = 0.0005
"""Rows after which the interpreter is left to the event loop, and for how long, s."""

SCHEMA: Final = vol.Schema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY_ID): str,
        vol.Optional(ATTR_START): cv.datetime,
        vol.Optional(ATTR_END): cv.datetime,
        vol.Optional(ATTR_RECORDING): FileSelector({"accept": ".csv,.txt"}),
    }
)


@dataclass(frozen=True, slots=True)
class _Settings:
    """What a replay takes from a meter: loads, limits and guard, as they are set."""

    hass: HomeAssistant
    entry: NrjConfigEntry
    guard: GuardSettings | None
    loads: tuple[Load, ...]
    devices: Mapping[str, ManagedDevice]
    titles: Mapping[str, str]

    def play(
        self, played: Recording, on: frozenset[str], begin: datetime | None
    ) -> dict[str, Any]:
        """Play a recording, with the loads `on` at first; return the answer."""
        house = House(
            self.loads,
            on,
            overload_monitors(self.entry.options),
            zlib.crc32(self.entry.entry_id.encode()),
        )
        paced = replace(played, rows=self._paced(played.rows))
        guard = NoGuard() if self.guard is None else self._guard(self.guard, played)
        replay = Replay(paced, house, guard)
        answer = timeline_of(replay.lines(), self.titles, begin)
        return answer | {"summary": summary_of(replay.summary(), self.titles)}

    @staticmethod
    def _guard(settings: GuardSettings, played: Recording) -> TwinGuard:
        limits = replace(settings.limits, silence_ms=played.silence_ms)
        return TwinGuard(replace(settings, limits=limits))

    def _paced(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Yield rows, with pauses for the event loop, until Home Assistant stops."""
        for some in batched(rows, ROWS_AT_ONCE, strict=False):
            if self.hass.is_stopping:
                return
            yield from some
            time.sleep(PAUSE)

    def on_by_default(self) -> frozenset[str]:
        """Return the loads that are on where nothing tells: all but those that store."""
        return frozenset(load.id for load in self.loads if not load.load_class.stores)


@callback
def async_setup_replay_service(hass: HomeAssistant) -> None:
    """Register the action to replay, for administrators, one replay at a time."""
    turn = asyncio.Lock()

    async def act(call: ServiceCall) -> ServiceResponse:
        async with turn:
            return await _async_replay(call)

    async_register_admin_service(
        hass, DOMAIN, REPLAY, act, SCHEMA, SupportsResponse.ONLY
    )


async def _async_replay(call: ServiceCall) -> ServiceResponse:
    """Replay what a call names; return the answer."""
    hass = call.hass
    entry: NrjConfigEntry = async_get_config_entry(
        hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID)
    )
    if ATTR_RECORDING in call.data and {ATTR_START, ATTR_END} & set(call.data):
        raise _refusal(entry, translation_key="replay_past_or_recording")
    settings = _settings(hass, entry)
    if (file_id := call.data.get(ATTR_RECORDING)) is not None:
        try:
            answer = await hass.async_add_executor_job(
                _play_upload, hass, settings, file_id
            )
        except ReplayError as error:
            raise _refusal(
                entry, translation_key="replay_unusable", error=str(error)
            ) from error
    else:
        begin, end = _period(call, entry)
        if "recorder" not in hass.config.components:
            raise _refusal(entry, translation_key="replay_no_recorder")
        found = await get_instance(hass).async_add_executor_job(
            _play_past, hass, settings, _sensors(hass, entry), begin, end
        )
        if found is None:
            raise _refusal(entry, translation_key="replay_nothing_recorded")
        answer = found
    if hass.is_stopping:
        raise HomeAssistantError("Home Assistant stops")
    says = async_text(hass, SOURCES, answer["source"])
    return {"meter": entry.title, "says": says, **answer}


def _period(call: ServiceCall, entry: NrjConfigEntry) -> tuple[float, float]:
    """Return begin and end of the past that a call names, s since 1970."""
    now = dt_util.now()
    end = min(now, _local(call.data.get(ATTR_END, now)))
    begin = _local(call.data.get(ATTR_START, end - DAY))
    if not timedelta(0) < end - begin <= LONGEST:
        raise _refusal(entry, translation_key="replay_period", days=str(LONGEST.days))
    return begin.timestamp(), end.timestamp()


def _local(moment: datetime) -> datetime:
    """Return a time; without an offset it is that of Home Assistant's clock."""
    return (
        moment
        if moment.tzinfo
        else moment.replace(tzinfo=dt_util.get_default_time_zone())
    )


def _refusal(
    entry: NrjConfigEntry, translation_key: str, **values: str
) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={"name": entry.title, **values},
    )


def _settings(hass: HomeAssistant, entry: NrjConfigEntry) -> _Settings:
    """Return the settings of a meter; raise where its guard's are not known now."""
    try:
        guard = guard_settings(entry)
    except UnknownGuardError as error:
        raise _refusal(entry, translation_key="replay_guard_unknown") from error
    members = load_entries(entry)
    return _Settings(
        hass,
        entry,
        guard,
        tuple(load_of(item.subentry_id, item.data) for item in members),
        {item.subentry_id: ManagedDevice(hass, item.data) for item in members},
        {item.subentry_id: item.title for item in members},
    )


def _sensors(hass: HomeAssistant, entry: NrjConfigEntry) -> PastSensors:
    """Return the enabled sensors of a meter that a replay needs."""
    registry = er.async_get(hass)
    mac = entry.runtime_data.meter.description.mac
    converters = {}

    def entity_of(channel: str) -> str | None:
        id_ = registry.async_get_entity_id("sensor", DOMAIN, f"{mac}_{channel}")
        known = None if id_ is None else registry.async_get(id_)
        if id_ is None or known is None or known.disabled:
            return None
        quantity = CHANNELS[channel].quantity
        state = hass.states.get(id_)
        unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT) if state else None
        converter = UNIT_CONVERTERS.get(quantity.device_class)
        if converter is not None and unit and unit != quantity.unit:
            converters[id_] = converter.converter_factory(unit, quantity.unit)
        return id_

    parts = {
        Supply.TOTAL: "active_power",
        **{phase: f"active_power_{phase.lower()}" for phase in PHASES},
    }
    voltages = (entity_of(f"voltage_{phase.lower()}") for phase in PHASES)
    powers = {part: id_ for part, key in parts.items() if (id_ := entity_of(key))}
    return PastSensors(
        entity_of("frequency") or entity_of("frequency_l1"),
        tuple(filter(None, voltages)),
        powers,
        converters,
    )


def _play_upload(
    hass: HomeAssistant, settings: _Settings, file_id: str
) -> dict[str, Any]:
    """Play an uploaded file, which is gone afterwards; runs in the executor.

    Raises:
        ReplayError: the file is none, or no recording.
    """
    try:
        with process_uploaded_file(hass, file_id) as path:
            played = recording.read(path, _nominal_voltage(settings), path.name)
            answer = settings.play(played, settings.on_by_default(), None)
    except ValueError as error:
        raise ReplayError("There is no such file: upload it again.") from error
    return {"source": UPLOADED, "step": played.step_ms / 1000, **answer}


def _nominal_voltage(settings: _Settings) -> float:
    """Return the nominal voltage of a meter, V."""
    return (settings.guard or GuardSettings()).limits.nominal_voltage


def _play_past(
    hass: HomeAssistant,
    settings: _Settings,
    sensors: PastSensors,
    begin: float,
    end: float,
) -> dict[str, Any] | None:
    """Play the recorded past, None where nothing was recorded; runs in the executor."""
    past = read_past(hass, sensors, begin, end)
    if past is None:
        return None
    on = set(settings.on_by_default())
    for id_, device in settings.devices.items():
        if device.entity_id is None:
            continue
        was_on = device.reads_on(state_at(hass, device.entity_id, past.begin))
        if was_on is not None:
            (on.add if was_on else on.discard)(id_)
    first = dt_util.as_local(dt_util.utc_from_timestamp(past.begin))
    answer = settings.play(past.recording, frozenset(on), first)
    until = first + timedelta(seconds=answer["summary"]["seconds"])
    return {
        "source": past.source.value,
        "step": past.recording.step_ms / 1000,
        "from": first.isoformat(timespec="seconds"),
        "until": until.isoformat(timespec="seconds"),
        **answer,
    }

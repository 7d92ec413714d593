"""Translation of a device's entities and states for sources."""

import asyncio
from collections.abc import Container
from dataclasses import dataclass, field
import logging
from math import isfinite
import re
from time import monotonic
from typing import Final, Protocol

from aioesphomeapi.model import (
    DeviceInfo,
    EntityCategory,
    EntityInfo,
    EntityState,
    NumberInfo,
    NumberState,
    SelectInfo,
    SelectState,
    SensorInfo,
    SwitchInfo,
    SwitchState,
    TextSensorInfo,
    TextSensorState,
)

from ...allowance import Allowance
from ...catalog import CHANNELS, Channel
from ...device_text import one_line, plain, shortened
from ...over_range import OVER_RANGE
from ...quiet_log import QuietLog
from .. import Feature, MeterDescription, Relay, SourceListener
from ..errors import NotAMeterError
from ..settings import KNOWN, Setting, SettingValue

_LOGGER = logging.getLogger(__name__)

PROJECT_PREFIX: Final = "nrj-monitor."
"""Beginning of the project name of every firmware of this project."""

FEATURES: Final = {
    "power_quality_events": Feature.POWER_QUALITY,
    "check_wiring": Feature.WIRING,
    "calibrate_voltage": Feature.CALIBRATION,
    "take_over_calibration": Feature.CALIBRATION_TRANSFER,
    "journal_open": Feature.JOURNAL,
}
"""Features of a meter by the user action of the firmware that goes with each."""

TEXTS: Final = frozenset(
    {
        "calibration_codes",
        "calibration_corrections",
        "clock",
        "guard_reason",
        "guard_state",
        OVER_RANGE,
        "wiring",
        "wiring_codes",
    }
)
"""Object ids of the text sensors that are reported."""

DIGITS: Final = 4
"""Decimals kept of a setting: the firmware sends 32-bit floats, further digits are noise."""

MOST_RELAYS: Final = 32
MOST_SETTINGS: Final = 64
MOST_OPTIONS: Final = 32
"""Relays, settings and options of a setting that are taken; no meter has as many."""

LARGEST_SETTING: Final = 1e6
"""Greatest limit of a number, in its unit."""

LONGEST_VERSION: Final = 32
"""Characters of a firmware's version."""

LONGEST_ID: Final = 64
"""Characters of an object id."""

LONGEST_STATE: Final = 255
"""Characters of a text sensor's state; Home Assistant takes no longer one."""

READING_RATE: Final = 1000.0
"""Readings a second that are looked at: sixty quantities, a dozen times."""

STATE_RATE: Final = 10.0
STATE_BURST: Final = 100.0
"""Other states a second that are told at once, and at once at the beginning."""

MAC: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")

type EntityAddress = tuple[int, int]
"""Device id and entity key of an entity, unique within a connection."""


@dataclass(frozen=True, slots=True)
class Entities:
    """Entities of a device known to this integration."""

    channels: dict[EntityAddress, Channel] = field(default_factory=dict)
    relays: dict[EntityAddress, Relay] = field(default_factory=dict)
    texts: dict[EntityAddress, str] = field(default_factory=dict)
    settings: dict[EntityAddress, Setting] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceModel:
    """Description and entities of a device.

    `accepts_key` is whether the device has no key yet and accepts one.
    """

    description: MeterDescription
    entities: Entities
    accepts_key: bool


def read_device(
    info: DeviceInfo, listed: list[EntityInfo], actions: Container[str]
) -> DeviceModel:
    """Return the model of a device with the user actions named in `actions`.

    Raises NotAMeterError with the device's project where the firmware is not ours.
    """
    entities = pick_entities(listed)
    return DeviceModel(
        description=_describe(info, entities, actions),
        entities=entities,
        accepts_key=info.api_encryption_provisionable,
    )


def pick_entities(listed: list[EntityInfo]) -> Entities:
    """Return the entities known to this integration.

    A relay is a switch the firmware puts among the controls; those it puts
    among settings or diagnostics are not.
    """
    entities = Entities()
    seen: set[str] = set()
    for entity in listed:
        address = (entity.device_id, entity.key)
        id_ = entity.object_id
        if id_ in seen or not 0 < len(id_) <= LONGEST_ID:
            # One of the same name would get the same entity.
            continue
        match entity:
            case SensorInfo() if id_ in CHANNELS:
                entities.channels[address] = CHANNELS[id_]
            case TextSensorInfo() if id_ in TEXTS:
                entities.texts[address] = id_
            case SwitchInfo(entity_category=EntityCategory.NONE) if (
                len(entities.relays) < MOST_RELAYS
            ):
                entities.relays[address] = Relay(id_, one_line(entity.name))
            case _ if len(entities.settings) < MOST_SETTINGS and (
                setting := setting_of(entity)
            ):
                entities.settings[address] = setting
            case _:
                continue
        seen.add(id_)
    return entities


def setting_of(entity: EntityInfo) -> Setting | None:
    """Return the setting of a select, number or switch, None for other entities.

    A number without a range is none.
    """
    if not KNOWN.fullmatch(entity.object_id):
        return None
    name = one_line(entity.name)
    match entity:
        case SelectInfo():
            options = dict.fromkeys(
                option
                for option in entity.options[:MOST_OPTIONS]
                if 0 < len(option) <= LONGEST_STATE
            )
            return Setting(
                id=entity.object_id, name=name, kind="select", options=tuple(options)
            )
        case NumberInfo() if _has_range(entity):
            return Setting(
                id=entity.object_id,
                name=name,
                kind="number",
                minimum=round(entity.min_value, DIGITS),
                maximum=round(entity.max_value, DIGITS),
                step=round(entity.step, DIGITS),
                unit=shortened(entity.unit_of_measurement, DIGITS * 4) or None,
            )
        case SwitchInfo(entity_category=EntityCategory.CONFIG):
            return Setting(id=entity.object_id, name=name, kind="switch")
    return None


def _has_range(entity: NumberInfo) -> bool:
    """Return whether the limits and the step of a number are some."""
    limits = (entity.min_value, entity.max_value, entity.step)
    return (
        all(abs(value) <= LARGEST_SETTING for value in limits)
        and entity.min_value <= entity.max_value
        and entity.step > 0.0
    )


def value_of(setting: Setting, state: EntityState) -> SettingValue | None:
    """Return the value of a setting's state, None for one that it can not have."""
    match state:
        case SelectState(missing_state=False) if state.state in setting.options:
            return state.state
        case NumberState(missing_state=False) if setting.kind == "number":
            value = round(state.state, DIGITS)
            return value if setting.minimum <= value <= setting.maximum else None
        case SwitchState() if setting.kind == "switch":
            return bool(state.state)
    return None


def _describe(
    info: DeviceInfo, entities: Entities, actions: Container[str]
) -> MeterDescription:
    """Return the description of a meter; raises NotAMeterError for other firmware."""
    name = one_line(info.friendly_name or info.name)
    is_ours = info.project_name.startswith(PROJECT_PREFIX)
    if not is_ours or not MAC.fullmatch(info.mac_address):
        error = NotAMeterError(
            "The device does not run the meter's firmware",
            {"name": plain(name), "project": plain(info.project_name) or "ESPHome"},
        )
        error.mac = info.mac_address
        raise error
    features = {feature for action, feature in FEATURES.items() if action in actions}
    if "guard_state" in entities.texts.values():
        features.add(Feature.GUARD)
    return MeterDescription(
        mac=info.mac_address.lower(),
        name=name,
        manufacturer="NRJ Monitor",
        model=one_line(info.project_name.removeprefix(PROJECT_PREFIX).capitalize()),
        hardware=one_line(info.model),
        software=one_line(f"{info.project_version} (ESPHome {info.esphome_version})"),
        channels=tuple(entities.channels.values()),
        relays=tuple(entities.relays.values()),
        features=frozenset(features),
        version=one_line(info.project_version, LONGEST_VERSION),
        settings=tuple(entities.settings.values()),
    )


class SensorReading(Protocol):
    """State of a sensor entity: a message of the protocol, or the library's model."""

    @property
    def device_id(self) -> int:
        """Return the id of the sub-device, 0 for the device itself."""

    @property
    def key(self) -> int:
        """Return the entity's key."""

    @property
    def state(self) -> float:
        """Return the reading in the entity's unit."""

    @property
    def missing_state(self) -> bool:
        """Return whether there is no reading yet."""


class StateReporter:
    """Reports the states of a device's entities to a listener, in catalog terms."""

    def __init__(
        self,
        listener: SourceListener,
        entities: Entities,
        log: QuietLog | None = None,
    ) -> None:
        """Report the states of `entities` to `listener`; tell of a flood in `log`."""
        self._listener = listener
        self._on_reading = listener.on_reading
        self._entities = entities
        self._channels = entities.channels
        self._log = log or QuietLog(_LOGGER, "")
        self._readings = Allowance(READING_RATE, READING_RATE)
        self._states = Allowance(STATE_RATE, STATE_BURST)
        self._waiting: dict[EntityAddress, EntityState] = {}
        self._timer: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        """Tell no waiting state any more: the link is lost."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()

    def on_sensor(self, reading: SensorReading) -> None:
        """Report the reading of a channel, None where it is missing or not finite."""
        channel = self._channels.get((reading.device_id, reading.key))
        if channel is None:
            return
        if not self._readings.takes(monotonic()):
            self._log.warning(
                "The meter sends more than %d readings a second: those beyond are left"
                " out",
                READING_RATE,
            )
            return
        value = reading.state
        is_valid = isfinite(value) and not reading.missing_state
        self._on_reading(channel, value if is_valid else None)

    def on_state(self, state: EntityState) -> None:
        """Report the state of a relay, a text sensor or a setting.

        Of states that come too fast only the latest of each entity is told, a while later.
        """
        address = (state.device_id, state.key)
        entities = self._entities
        if not (
            address in entities.relays
            or address in entities.texts
            or address in entities.settings
        ):
            return
        if not self._waiting and self._states.takes(monotonic()):
            self._report(address, state)
            return
        if not self._waiting:
            self._log.warning("The meter changes its states too fast: some are skipped")
            self._timer = self._later()
        self._waiting[address] = state

    def _report_waiting(self) -> None:
        """Report the latest states of those that came too fast, as many as are allowed."""
        while self._waiting and self._states.takes(monotonic()):
            address = next(iter(self._waiting))
            self._report(address, self._waiting.pop(address))
        if self._waiting:
            self._timer = self._later()

    def _later(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(
            1 / STATE_RATE, self._report_waiting
        )

    def _report(self, address: EntityAddress, state: EntityState) -> None:
        entities = self._entities
        if isinstance(state, SwitchState) and address in entities.relays:
            if not state.missing_state:
                self._listener.on_relay_state(entities.relays[address].id, state.state)
        elif isinstance(state, TextSensorState) and address in entities.texts:
            if not state.missing_state:
                text = shortened(state.state, LONGEST_STATE)
                self._listener.on_text(entities.texts[address], text)
        elif (setting := entities.settings.get(address)) is not None and (
            value := value_of(setting, state)
        ) is not None:
            self._listener.on_setting(setting.id, value)

"""Translation of a device's entities and states for sources."""

from collections.abc import Container
from dataclasses import dataclass, field
from math import isfinite
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

from ...catalog import CHANNELS, Channel
from ...over_range import OVER_RANGE
from .. import Feature, MeterDescription, Relay, SourceListener
from ..errors import NotAMeterError
from ..settings import KNOWN, Setting, SettingValue

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
    for entity in listed:
        address = (entity.device_id, entity.key)
        match entity:
            case SensorInfo() if entity.object_id in CHANNELS:
                entities.channels[address] = CHANNELS[entity.object_id]
            case TextSensorInfo() if entity.object_id in TEXTS:
                entities.texts[address] = entity.object_id
            case SwitchInfo(entity_category=EntityCategory.NONE):
                entities.relays[address] = Relay(entity.object_id, entity.name)
            case _ if (setting := setting_of(entity)) is not None:
                entities.settings[address] = setting
    return entities


def setting_of(entity: EntityInfo) -> Setting | None:
    """Return the setting of a select, number or switch, None for other entities."""
    if not KNOWN.fullmatch(entity.object_id):
        return None
    match entity:
        case SelectInfo():
            return Setting(
                id=entity.object_id,
                name=entity.name,
                kind="select",
                options=tuple(entity.options),
            )
        case NumberInfo():
            return Setting(
                id=entity.object_id,
                name=entity.name,
                kind="number",
                minimum=round(entity.min_value, DIGITS),
                maximum=round(entity.max_value, DIGITS),
                step=round(entity.step, DIGITS),
                unit=entity.unit_of_measurement or None,
            )
        case SwitchInfo(entity_category=EntityCategory.CONFIG):
            return Setting(id=entity.object_id, name=entity.name, kind="switch")
    return None


def value_of(state: EntityState) -> SettingValue | None:
    """Return the value of a setting's state, None for a missing state."""
    match state:
        case SelectState(missing_state=False):
            return state.state
        case NumberState(missing_state=False):
            return round(state.state, DIGITS)
        case SwitchState():
            return bool(state.state)
    return None


def _describe(
    info: DeviceInfo, entities: Entities, actions: Container[str]
) -> MeterDescription:
    """Return the description of a meter; raises NotAMeterError for other firmware."""
    name = info.friendly_name or info.name
    if not info.project_name.startswith(PROJECT_PREFIX):
        error = NotAMeterError(
            "The device does not run the meter's firmware",
            {"name": name, "project": info.project_name or "ESPHome"},
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
        model=info.project_name.removeprefix(PROJECT_PREFIX).capitalize(),
        hardware=info.model,
        software=f"{info.project_version} (ESPHome {info.esphome_version})",
        channels=tuple(entities.channels.values()),
        relays=tuple(entities.relays.values()),
        features=frozenset(features),
        version=info.project_version,
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

    def __init__(self, listener: SourceListener, entities: Entities) -> None:
        """Report the states of `entities` to `listener`."""
        self._listener = listener
        self._on_reading = listener.on_reading
        self._entities = entities
        self._channels = entities.channels

    def on_sensor(self, reading: SensorReading) -> None:
        """Report the reading of a channel, None where it is missing or not finite."""
        channel = self._channels.get((reading.device_id, reading.key))
        if channel is not None:
            value = reading.state
            is_valid = isfinite(value) and not reading.missing_state
            self._on_reading(channel, value if is_valid else None)

    def on_state(self, state: EntityState) -> None:
        """Report the state of a relay, a text sensor or a setting."""
        address = (state.device_id, state.key)
        entities = self._entities
        if isinstance(state, SwitchState) and address in entities.relays:
            if not state.missing_state:
                self._listener.on_relay_state(entities.relays[address].id, state.state)
        elif isinstance(state, TextSensorState) and address in entities.texts:
            if not state.missing_state:
                self._listener.on_text(entities.texts[address], state.state)
        elif (setting := entities.settings.get(address)) is not None and (
            value := value_of(state)
        ) is not None:
            self._listener.on_setting(setting.id, value)

"""Sources of readings: the interfaces of sources and of their listeners.

A source is anything that can produce readings in catalog quantities. Nothing in
this package knows Home Assistant's entities, and nothing outside a source knows
its protocol.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Any, Protocol, Self, runtime_checkable

from ..catalog import CHANNELS, Channel, Phase
from ..frequency_guard.event import GuardEvent
from ..power_quality.event import Oscillogram, PowerQualityEvent
from .errors import LinkDownError, SourceError
from .settings import Setting, SettingValue

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


class Feature(StrEnum):
    """Capability of a meter besides measuring; stored by value."""

    CALIBRATION = "calibration"
    CALIBRATION_TRANSFER = "calibration_transfer"
    GUARD = "guard"
    JOURNAL = "journal"
    POWER_QUALITY = "power_quality"
    WIRING = "wiring"


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay of the device: its stable id and its name in the firmware."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDescription:
    """Identity, channels, relays and settings of a meter.

    `mac` is in lower case with colons; a meter whose readings come another way than from
    the device itself has a stable id of its own there. Versions and models are the
    device's own words, for people to read.
    """

    mac: str
    name: str
    manufacturer: str
    model: str
    hardware: str
    software: str
    channels: tuple[Channel, ...]
    relays: tuple[Relay, ...]
    features: frozenset[str] = frozenset()
    """Values of `Feature`; those of later versions too."""
    version: str | None = None
    """Version of the firmware, None where there is none of this project."""
    settings: tuple[Setting, ...] = ()
    """What can be set on it."""
    declared: frozenset[Phase] = frozenset()
    """Phases it has by a person's word, measured or not."""
    via_device_id: str | None = None
    """Home Assistant's id of the device that the readings come from, None where that is
    the meter itself. Not stored: it is asked anew."""

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Return the phases of the meter: declared, or with any channel."""
        known = self.declared | {channel.phase for channel in self.channels}
        return tuple(phase for phase in Phase if phase in known)

    @property
    def has_mac(self) -> bool:
        """Return whether `mac` is the address of a device."""
        return _MAC.fullmatch(self.mac) is not None

    def as_dict(self) -> dict[str, Any]:
        """Return the description as JSON can store it."""
        return {
            "mac": self.mac,
            "name": self.name,
            "manufacturer": self.manufacturer,
            "model": self.model,
            "hardware": self.hardware,
            "software": self.software,
            "channels": [channel.id for channel in self.channels],
            "relays": {relay.id: relay.name for relay in self.relays},
            "features": sorted(map(str, self.features)),
            "version": self.version,
            "settings": [setting.as_dict() for setting in self.settings],
            "declared": sorted(map(str, self.declared)),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read a description stored by `as_dict`; unknown channels are left out."""
        return cls(
            mac=stored["mac"],
            name=stored["name"],
            manufacturer=stored["manufacturer"],
            model=stored["model"],
            hardware=stored["hardware"],
            software=stored["software"],
            channels=tuple(
                CHANNELS[channel]
                for channel in stored["channels"]
                if channel in CHANNELS
            ),
            relays=tuple(Relay(id_, name) for id_, name in stored["relays"].items()),
            features=frozenset(stored.get("features", ())),
            version=stored.get("version"),
            settings=tuple(map(Setting.from_dict, stored.get("settings", ()))),
            declared=frozenset(map(Phase, stored.get("declared", ()))),
        )


class SourceListener(Protocol):
    """Receiver of a source's updates; every method is called in the event loop."""

    def on_connected(self, description: MeterDescription) -> None:
        """Handle a new link to the device; readings and relay states follow."""

    def on_disconnected(self) -> None:
        """Handle the loss of the link: no reading or state is current any more."""

    def on_connect_error(self, error: SourceError) -> None:
        """Handle a failed attempt to reach the device; the source tries again."""

    def on_reading(self, channel: Channel, value: float | None) -> None:
        """Handle a reading in the channel's unit; None is no valid measurement."""

    def on_relay_state(self, relay_id: str, is_on: bool) -> None:
        """Handle the state of a relay as the device reports the state."""

    def on_text(self, key: str, text: str) -> None:
        """Handle the state of a text sensor, like the advice of the wiring check."""

    def on_setting(self, setting_id: str, value: SettingValue) -> None:
        """Handle the value of a setting as the device reports the value."""

    def on_guard_event(self, event: GuardEvent) -> None:
        """Handle an event of the device's frequency guard."""

    def on_power_quality_event(self, event: PowerQualityEvent) -> bool:
        """Handle a power quality event; return whether the event is new."""

    def wants_oscillogram(self, event: PowerQualityEvent) -> bool:
        """Return whether the oscillogram of an event is still to be fetched."""

    def on_oscillogram(
        self, event: PowerQualityEvent, wave: Oscillogram | None
    ) -> None:
        """Handle the oscillogram of an event, None where the device has none."""

    def on_journal_page(self, page: Mapping[str, str]) -> None:
        """Handle a page of the device's journal as the device sent the page."""


class Source(Protocol):
    """Source of readings: a device, a topic or a set of entities."""

    async def run(self, listener: SourceListener) -> None:
        """Keep the link up and report to `listener` until cancelled."""

    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        """Send a relay command; the device answers through `on_relay_state`.

        Raises LinkDownError when there is no device to ask.
        """

    def change_setting(self, setting_id: str, value: SettingValue) -> None:
        """Send a new setting value; the device answers through `on_setting`.

        Raises LinkDownError when there is no device to ask.
        """
        raise LinkDownError(f"There is nothing to tell {setting_id} to")


@runtime_checkable
class JournalSource(Protocol):
    """Source with an energy journal, sent in pages once opened."""

    async def open_journal(self, client: str, journal: str, after: int) -> None:
        """Request the records of a journal after a sequence number, and all to come.

        `client` is a hexadecimal number that names who asks. A journal the device does
        not know, or has begun anew since, is sent from its beginning.

        Raises LinkDownError when there is no device to ask.
        """

    async def acknowledge_journal(self, client: str, received: int, done: int) -> None:
        """Acknowledge records up to `received` as arrived, up to `done` as used.

        Raises LinkDownError when there is no device to tell.
        """

    async def close_journal(self, client: str) -> None:
        """End the delivery of records.

        Raises LinkDownError when there is no device to tell.
        """

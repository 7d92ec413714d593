"""Where readings come from: what every source offers and whom it tells.

A source is anything that can produce readings in catalog quantities. Nothing in
this package knows Home Assistant's entities, and nothing outside a source knows
its protocol.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import re
from typing import Any, Protocol, Self, runtime_checkable

from ..catalog import CHANNELS, Channel
from ..frequency_guard.event import GuardEvent
from ..power_quality.event import Oscillogram, PowerQualityEvent
from .errors import LinkDownError, SourceError
from .settings import Setting, SettingValue

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay of the device: its stable id and the name its firmware gives it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDescription:
    """What a meter is and has.

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
    """What it can besides, by names the sources define."""
    version: str | None = None
    """Version of the firmware, None where there is none of this project."""
    settings: tuple[Setting, ...] = ()
    """What can be set on it."""

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
            "features": sorted(self.features),
            "version": self.version,
            "settings": [setting.as_dict() for setting in self.settings],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `as_dict` wrote; channels this version lacks are left out."""
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
        )


class SourceListener(Protocol):
    """Whom a source tells; every method is called in the event loop."""

    def link_up(self, description: MeterDescription) -> None:
        """Note that the device is there; readings and relay states follow."""

    def link_down(self) -> None:
        """Note that the device is gone: nothing known of it is current."""

    def link_failed(self, error: SourceError) -> None:
        """Note that an attempt to reach the device failed; another one follows."""

    def reading(self, channel: Channel, value: float | None) -> None:
        """Take a reading in the channel's unit; None is no valid measurement."""

    def relay_state(self, relay_id: str, is_on: bool) -> None:
        """Take the state a relay really has."""

    def text(self, key: str, text: str) -> None:
        """Take a sentence the device says about itself, like the wiring check's."""

    def setting(self, setting_id: str, value: SettingValue) -> None:
        """Take what a setting of the device really is."""

    def guard_event(self, event: GuardEvent) -> None:
        """Take what the device's own guard did, or how the grid is now."""

    def power_quality(self, event: PowerQualityEvent) -> bool:
        """Take an event of the supply; return whether it is news."""

    def wants_oscillogram(self, event: PowerQualityEvent) -> bool:
        """Return whether the waveform around an event is still to be fetched."""

    def oscillogram(self, event: PowerQualityEvent, wave: Oscillogram | None) -> None:
        """Take the waveform around an event, None where there is none."""

    def journal(self, page: Mapping[str, str]) -> None:
        """Take a page of the device's journal as the device sent it."""


class Source(Protocol):
    """A device, a topic or a set of entities that yields readings."""

    async def run(self, listener: SourceListener) -> None:
        """Keep the link up and feed `listener` until cancelled."""

    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        """Ask the device to switch; it answers through `relay_state`.

        Raises LinkDownError when there is no device to ask.
        """

    def change_setting(self, setting_id: str, value: SettingValue) -> None:
        """Ask the device to change a setting; it answers through `setting`.

        Raises LinkDownError when there is no device to ask.
        """
        raise LinkDownError(f"There is nothing to tell {setting_id} to")


@runtime_checkable
class JournalSource(Protocol):
    """A device that keeps a journal, and sends it in pages to who opens it."""

    async def open_journal(self, client: str, journal: str, after: int) -> None:
        """Ask for the records of a journal after one, and for all that follow.

        `client` is a hexadecimal number that names who asks. A journal the device does
        not know, or has begun anew since, is sent from its beginning.

        Raises LinkDownError when there is no device to ask.
        """

    async def acknowledge_journal(self, client: str, received: int, done: int) -> None:
        """Say that the records up to `received` came, and are used up to `done`.

        Raises LinkDownError when there is no device to tell.
        """

    async def close_journal(self, client: str) -> None:
        """Ask for nothing more.

        Raises LinkDownError when there is no device to tell.
        """

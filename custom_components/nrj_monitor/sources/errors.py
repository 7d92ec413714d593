"""Errors between a source and its device.

Each error carries the key of its sentence in the translations; the config flow
and the entities show that sentence. No message names an address or a secret.
"""

from collections.abc import Mapping
from typing import ClassVar


class SourceError(Exception):
    """Base of all errors of sources.

    `placeholders` are what its translated sentence names besides the address. `mac` is
    the address in hexadecimal of the device that answered, where the device has sent it.
    """

    key: ClassVar[str]
    mac: str | None = None

    def __init__(self, message: str, placeholders: Mapping[str, str] = {}) -> None:
        """Keep the English message for the log and the placeholders for people."""
        super().__init__(message)
        self.placeholders = dict(placeholders)


class HostUnknownError(SourceError):
    """No address is known for the host name."""

    key = "host_unknown"


class ConnectionRefusedSourceError(SourceError):
    """A machine is there, but nothing listens on the port."""

    key = "connection_refused"


class UnreachableError(SourceError):
    """The network has no way to the address."""

    key = "unreachable"


class NoAnswerError(SourceError):
    """Nothing answered in time."""

    key = "no_answer"


class NotEsphomeError(SourceError):
    """Something answered, but not in ESPHome's native API."""

    key = "not_esphome"


class NotAMeterError(SourceError):
    """An ESPHome device with other firmware answered."""

    key = "not_a_meter"


class OtherMeterError(SourceError):
    """Another meter than this source's answered."""

    key = "other_meter"


class CredentialError(SourceError):
    """The device is there and the key does not fit: a person has to act."""


class KeyRequiredError(CredentialError):
    """The device encrypts and no key was given."""

    key = "key_required"


class WrongKeyError(CredentialError):
    """The device encrypts with another key."""

    key = "wrong_key"


class MalformedKeyError(CredentialError):
    """The key is not base64 of 32 bytes, so no device can use the key."""

    key = "malformed_key"


class NotEncryptedError(CredentialError):
    """A key was given and the device does not encrypt."""

    key = "not_encrypted"


class KeyRefusedError(SourceError):
    """The device accepts no key: a fixed key in the firmware, or too late after its start."""

    key = "key_refused"


class LinkDownError(SourceError):
    """A command was given while there is no link."""

    key = "link_down"


class RelayRefusedError(SourceError):
    """The device did not report the commanded state."""

    key = "relay_refused"


class SettingRefusedError(SourceError):
    """The device did not accept a setting."""

    key = "setting_refused"


class BrokerAwayError(SourceError):
    """Home Assistant has no connection to an MQTT broker."""

    key = "broker_away"


class SilentError(SourceError):
    """Nothing has come for longer than the source's own rhythm explains."""

    key = "silent"


class EntitiesAwayError(SourceError):
    """None of a meter's entities has a value."""

    key = "entities_away"

"""Where a device is, and the Noise key that encrypts the link."""

import base64
import binascii
from dataclasses import dataclass
import secrets
from typing import Final

from ..errors import MalformedKeyError

KEY_BYTES: Final = 32
"""Length of a Noise pre-shared key, Noise protocol framework section 9."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeApiAddress:
    """Where a device is and the key it encrypts with, None without encryption."""

    host: str
    port: int
    key: str | None


def check_key(key: str) -> None:
    """Raise MalformedKeyError unless `key` is base64 of 32 bytes."""
    try:
        decoded = base64.b64decode(key, validate=True)
    except binascii.Error, ValueError:
        decoded = b""
    if len(decoded) != KEY_BYTES:
        raise MalformedKeyError("The encryption key is not base64 of 32 bytes")


def new_key() -> str:
    """Return a random key, base64 of 32 bytes."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()

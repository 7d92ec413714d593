"""Provisioning of a meter: reading the device, setting and removing its key."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from homeassistant.helpers.device_registry import format_mac

from ..errors import (
    CredentialError,
    KeyRefusedError,
    KeyRequiredError,
    LinkDownError,
    NoAnswerError,
    SourceError,
    WrongKeyError,
)
from .address import NativeApiAddress, check_key
from .client import NO_KEY, ActionAnswer, make_client
from .device_model import DeviceModel

if TYPE_CHECKING:
    from zeroconf import Zeroconf

KEY_TIMEOUT: Final = 5.0
"""Seconds a device may take to use the key it was given; ESPHome takes 0.1 s."""


async def probe(
    address: NativeApiAddress, zeroconf: Zeroconf | None = None
) -> DeviceModel:
    """Return the model of the meter at `address`; nothing stays connected.

    Without a key in `address`, a device that has none yet is found whether it talks in
    the clear or only through the key of zeros, and the KeyRequiredError of a device that
    has one names the device.

    Raises the SourceError that says why the meter cannot be used.
    """
    try:
        return await _probe(address, zeroconf)
    except KeyRequiredError as error:
        try:
            return await _probe(replace(address, key=NO_KEY), zeroconf)
        except WrongKeyError as wrong:
            error.mac = wrong.mac
            raise error from wrong


async def _probe(address: NativeApiAddress, zeroconf: Zeroconf | None) -> DeviceModel:
    """Read a device over a connection with the given key and no other."""
    client = make_client(address, zeroconf)
    try:
        await client.connect()
        return await client.read_device()
    finally:
        await client.disconnect()


async def identify(
    error: SourceError, address: NativeApiAddress, zeroconf: Zeroconf | None = None
) -> str | None:
    """Return the MAC address of the device that answered with `error`, as `format_mac` does.

    Where the error does not name the device, it is asked without a key, or under the key
    of zeros: who it is, it tells anybody. None where it can not be told.
    """
    mac = error.mac
    if mac is None and isinstance(error, CredentialError):
        for key in (None, NO_KEY):
            client = make_client(replace(address, key=key), zeroconf)
            try:
                await client.connect()
                mac = await client.read_mac()
            except CredentialError as refused:
                mac = refused.mac
            except SourceError:
                continue
            finally:
                await client.disconnect()
            if mac is not None:
                break
    return format_mac(mac) if mac else None


async def set_key(address: NativeApiAddress, zeroconf: Zeroconf | None = None) -> None:
    """Set the key of `address` on the device there, which must have none yet.

    The key is sent encrypted, so it cannot be overheard; the key of zeros under
    which that happens proves nobody's identity, as ESPHome's own set-up does not.
    Returns when the device uses the key.

    Raises KeyRefusedError where the device does not accept the key, WrongKeyError where
    it has one already, and any other SourceError where it cannot be reached.
    """
    assert address.key is not None
    check_key(address.key)
    await _replace_key(replace(address, key=NO_KEY), address.key, zeroconf)


async def run_action(
    address: NativeApiAddress,
    action: str,
    arguments: Mapping[str, float],
    zeroconf: Zeroconf | None = None,
) -> ActionAnswer:
    """Run a user action of the meter at `address`; return its answer.

    Raises the SourceError that says why it can not be asked.
    """
    client = make_client(address, zeroconf)
    try:
        await client.connect()
        await client.read_device()
        return await client.run_action(action, **arguments)
    except LinkDownError as error:
        raise NoAnswerError("The meter does not answer") from error
    finally:
        await client.disconnect()


async def remove_key(
    address: NativeApiAddress, zeroconf: Zeroconf | None = None
) -> None:
    """Remove the key of the device at `address`, whose present key is given there.

    Raises KeyRefusedError where the device keeps the key, and any other SourceError
    where it cannot be reached.
    """
    await _replace_key(address, "", zeroconf)


async def _replace_key(
    address: NativeApiAddress, key: str, zeroconf: Zeroconf | None
) -> None:
    """Replace the key of the device at `address` and wait until `key` is in use."""
    dropped = asyncio.Event()
    client = make_client(address, zeroconf)
    try:
        await client.connect(dropped.set)
        if not await client.set_encryption_key(key):
            raise KeyRefusedError("The device does not accept a key")
        # The device closes all connections when it begins to use the key.
        with suppress(TimeoutError):
            async with asyncio.timeout(KEY_TIMEOUT):
                await dropped.wait()
    finally:
        await client.disconnect()

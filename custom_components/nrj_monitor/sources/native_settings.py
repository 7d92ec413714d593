"""The settings of a device over its native API."""

from typing import Final

from aioesphomeapi.client import APIClient
from aioesphomeapi.model import (
    EntityCategory,
    EntityInfo,
    EntityState,
    NumberInfo,
    NumberState,
    SelectInfo,
    SelectState,
    SwitchInfo,
    SwitchState,
)

from .settings import KNOWN, Setting, SettingValue

DIGITS: Final = 4
"""The firmware sends 32-bit floats, whose further digits are noise."""


def setting_of(entity: EntityInfo) -> Setting | None:
    """Return the setting an entity of the device is, None where it is none."""
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
    """Return what a state says of a setting, None where it says nothing."""
    match state:
        case SelectState(missing_state=False):
            return state.state
        case NumberState(missing_state=False):
            return round(state.state, DIGITS)
        case SwitchState():
            return bool(state.state)
    return None


def command(
    client: APIClient, at: tuple[int, int], setting: Setting, value: SettingValue
) -> None:
    """Ask the device to take a value; `at` is where the setting is on it.

    Raises:
        APIConnectionError: there is no link any more.
    """
    device_id, key = at
    if setting.kind == "select":
        client.select_command(key, str(value), device_id=device_id)
    elif setting.kind == "number":
        client.number_command(key, float(value), device_id=device_id)
    else:
        client.switch_command(key, bool(value), device_id=device_id)

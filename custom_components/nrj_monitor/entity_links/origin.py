"""The device that entities in use here belong to."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..sources import MeterDescription


@dataclass(frozen=True, slots=True)
class Origin:
    """Where entities come from.

    `device` is the one device they belong to, or the one its parts belong to; None where
    there are several. `names` are those of all.
    """

    device: dr.DeviceEntry | None
    names: tuple[str, ...]


@callback
def async_origin(hass: HomeAssistant, entity_ids: Iterable[str]) -> Origin:
    """Return the origin of entities; those without a device say nothing."""
    entities, devices = er.async_get(hass), dr.async_get(hass)
    found: dict[str, dr.DeviceEntry] = {}
    for entity_id in entity_ids:
        entity = entities.async_get(entity_id)
        if entity is None or entity.device_id is None:
            continue
        device = devices.async_get(entity.device_id)
        if isinstance(device, dr.ChildDeviceEntry):
            device = _main(devices, device.parent_device_id)
        if device is not None:
            found[device.id] = device
    if len(found) > 1:
        wholes = {device.via_device_id or device.id for device in found.values()}
        whole = _main(devices, wholes.pop()) if len(wholes) == 1 else None
        if whole is not None:
            found = {whole.id: whole}
    names = tuple(device.name_by_user or device.name or "" for device in found.values())
    only = next(iter(found.values())) if len(found) == 1 else None
    return Origin(only, tuple(filter(None, names)))


def _main(devices: dr.DeviceRegistry, device_id: str) -> dr.DeviceEntry | None:
    """Return a device that is no child of another one."""
    return devices.async_get(device_id, include_child_devices=False)


@callback
def async_described(
    hass: HomeAssistant, description: MeterDescription, entity_ids: Iterable[str]
) -> MeterDescription:
    """Return the description of a meter made of entities, with the device they come from.

    Of several devices it has the names.
    """
    origin = async_origin(hass, entity_ids)
    if origin.device is None:
        return replace(description, model=", ".join(origin.names))
    return replace(
        description,
        manufacturer=origin.device.manufacturer or "",
        model=origin.device.model or origin.names[0],
        via_device_id=origin.device.id,
    )

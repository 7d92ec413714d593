"""The sensors of a device, as Home Assistant's registries list them."""

from collections.abc import Iterator

from homeassistant.components.sensor.const import (
    ATTR_STATE_CLASS,
    DOMAIN as SENSOR_DOMAIN,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import slugify

from ..const import DOMAIN
from .device_entities import ListedEntity


@callback
def async_list_entities(hass: HomeAssistant, device_id: str) -> list[ListedEntity]:
    """Return the enabled sensors of a device and of the devices it is made of."""
    registry = er.async_get(hass)
    return [
        _listed(entity, device)
        for device in _with_parts(hass, device_id)
        for entity in er.async_entries_for_device(registry, device.id)
        if entity.domain == SENSOR_DOMAIN and entity.platform != DOMAIN
    ]


def _with_parts(hass: HomeAssistant, device_id: str) -> Iterator[dr.AnyDeviceEntry]:
    """Yield a device and its parts: its children, and those of the same make and model.

    A Shelly 3EM has a device of each phase. What is behind a hub is another model.
    """
    registry = dr.async_get(hass)
    whole = registry.async_get(device_id)
    if whole is None:
        return
    yield whole
    if isinstance(whole, dr.ChildDeviceEntry):
        return
    yield from dr.async_entries_for_parent_device(registry, whole.id)
    for device in dr.async_entries_for_config_entry(registry, whole.config_entry_id):
        if device.via_device_id == whole.id and (device.manufacturer, device.model) == (
            whole.manufacturer,
            whole.model,
        ):
            yield device


def _listed(entity: er.RegistryEntry, device: dr.AnyDeviceEntry) -> ListedEntity:
    """Return an entity with its texts, without the name a person gave to the device."""
    names = [slugify(name) for name in (device.name_by_user, device.name) if name]
    object_id = entity.entity_id.partition(".")[2]
    for name in names:
        object_id = object_id.removeprefix(f"{name}_")
    texts = (
        entity.unique_id,
        entity.translation_key,
        entity.original_name,
        object_id if names else None,
    )
    return ListedEntity(
        entity_id=entity.entity_id,
        device_class=entity.device_class or entity.original_device_class,
        unit=entity.unit_of_measurement,
        state_class=(entity.capabilities or {}).get(ATTR_STATE_CLASS),
        texts=tuple(text for text in texts if text),
    )

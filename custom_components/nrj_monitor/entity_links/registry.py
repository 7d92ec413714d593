"""Entity ids of stored data brought up to date with Home Assistant's registry."""

from collections.abc import Collection, Mapping
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .references import CONF_REGISTRY_IDS, entities_in, renamed


@callback
def async_followed(
    hass: HomeAssistant, data: Mapping[str, Any], fields: Collection[str]
) -> dict[str, Any]:
    """Return stored data with the present ids of the entities under its `fields`.

    The registry's own id of each entity, which no person can change, is stored beside.
    It is kept of an entity that is gone, until another one has its entity id.
    """
    registry = er.async_get(hass)
    known: Mapping[str, str] = data.get(CONF_REGISTRY_IDS, {})
    names: dict[str, str] = {}
    ids: dict[str, str] = {}
    for entity_id in entities_in(data, fields):
        entity = registry.async_get(
            known.get(entity_id, entity_id)
        ) or registry.async_get(entity_id)
        if entity is not None:
            names[entity_id] = entity.entity_id
            ids[entity.entity_id] = entity.id
        elif entity_id in known:
            ids[entity_id] = known[entity_id]
    followed = renamed(data, fields, names)
    followed.pop(CONF_REGISTRY_IDS, None)
    return {**followed, CONF_REGISTRY_IDS: ids} if ids else followed

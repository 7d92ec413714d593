"""Entity ids of stored data brought up to date with Home Assistant's registry."""

from collections.abc import Collection, Mapping
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .references import CONF_REGISTRY_IDS, entities_in, renamed


@callback
def async_follow(
    hass: HomeAssistant,
    data: Mapping[str, Any],
    fields: Collection[str],
    known: Mapping[str, str],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return stored data with the present ids of the entities under its `fields`.

    Args:
        hass: Home Assistant.
        data: the stored data.
        fields: keys under which entity ids stand.
        known: the registry's own id of each entity, which no person can change, by the
            entity id stored.

    Returns:
        the data, and what is `known` of its entities now. Of an entity that is gone it
        is kept until another one has its entity id.
    """
    registry = er.async_get(hass)
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
    return renamed(data, fields, names), ids


@callback
def async_followed(
    hass: HomeAssistant, data: Mapping[str, Any], fields: Collection[str]
) -> dict[str, Any]:
    """Return stored data with the present entity ids, and their registry ids beside."""
    known: Mapping[str, str] = data.get(CONF_REGISTRY_IDS, {})
    return with_registry_ids(*async_follow(hass, data, fields, known))


def with_registry_ids(
    data: Mapping[str, Any], ids: Mapping[str, str]
) -> dict[str, Any]:
    """Return stored data with the registry ids of its entities, without if there are none."""
    bare = {key: value for key, value in data.items() if key != CONF_REGISTRY_IDS}
    return {**bare, CONF_REGISTRY_IDS: dict(ids)} if ids else bare

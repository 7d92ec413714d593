"""References to entities in stored data: found, and changed to new entity ids. Pure rules."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

CONF_REGISTRY_IDS: Final = "registry_ids"
"""Key of stored data: the registry's own id of each entity, by the entity id stored.

An entry has those of its loads among them."""


def entities_in(data: Mapping[str, Any], fields: Collection[str]) -> tuple[str, ...]:
    """Return the entity ids under the `fields` of stored data, each once."""
    found = (id_ for field in fields for id_ in _texts(data.get(field)))
    return tuple(dict.fromkeys(found))


def renamed(
    data: Mapping[str, Any], fields: Collection[str], names: Mapping[str, str]
) -> dict[str, Any]:
    """Return stored data with other entity ids under its `fields`.

    `names` are the new entity ids by the old ones; those without a new one stay.
    """
    return {
        key: _replaced(value, names) if key in fields else value
        for key, value in data.items()
    }


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _texts(value)


def _replaced(node: Any, names: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return names.get(node, node)
    if isinstance(node, Mapping):
        return {key: _replaced(value, names) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_replaced(value, names) for value in node]
    return node

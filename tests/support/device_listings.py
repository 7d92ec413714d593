"""Entities as integrations of the installed Home Assistant make them, by device.

Read from the integrations' own descriptions of their sensors, so that the keys are those
of the release under test; the libraries of those integrations are not needed.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import homeassistant.components
from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import (
    UnitOfApparentPower,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfReactivePower,
)

from custom_components.nrj_monitor.flows.device_entities import ListedEntity

COMPONENTS = Path(homeassistant.components.__path__[0])
ENUMS: dict[str, Any] = {
    enum.__name__: enum
    for enum in (
        SensorDeviceClass,
        SensorStateClass,
        UnitOfApparentPower,
        UnitOfElectricCurrent,
        UnitOfElectricPotential,
        UnitOfEnergy,
        UnitOfFrequency,
        UnitOfPower,
        UnitOfReactivePower,
    )
}


def _value(node: ast.expr | None) -> str | None:
    """Return a constant, or a member of a known enumeration."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        enum = ENUMS.get(node.value.id)
        return None if enum is None else str(enum[node.attr].value)
    return None


def descriptions(integration: str, constant: str) -> Iterator[dict[str, str | None]]:
    """Yield the descriptions in a constant of an integration; `mapped` is a mapping's key."""
    tree = ast.parse((COMPONENTS / integration / "sensor.py").read_text())
    (assigned,) = (
        node.value
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and constant
        in [name.id for name in ast.walk(node) if isinstance(name, ast.Name)][:1]
        and node.value is not None
    )
    mapped = {
        id(value): _value(key)
        for node in ast.walk(assigned)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
    }
    for node in ast.walk(assigned):
        if isinstance(node, ast.Call):
            found = {word.arg: _value(word.value) for word in node.keywords if word.arg}
            if "key" in found:
                attribute = (found["key"] or "").rpartition("|")[2]
                yield {**found, "mapped": mapped.get(id(node)), "attribute": attribute}


def listing(
    integration: str, constant: str, template: str, key: str = ""
) -> list[ListedEntity]:
    """Return a device's entities from an integration's `constant` of descriptions.

    `template` makes the unique id of a description. Those whose key does not begin with
    `key` belong to other devices.
    """
    entities = [
        ListedEntity(
            entity_id=template.format_map(found),
            device_class=found.get("device_class"),
            unit=found.get("native_unit_of_measurement"),
            state_class=found.get("state_class"),
            texts=tuple(
                text
                for text in (
                    template.format_map(found),
                    found.get("translation_key"),
                    found.get("name"),
                )
                if text
            ),
        )
        for found in descriptions(integration, constant)
        if (found["key"] or "").startswith(key)
    ]
    assert entities
    return entities


def named(*names: str) -> list[ListedEntity]:
    """Return entities from "name: unit", as ESPHome and Tasmota have them."""
    entities = []
    for line in names:
        name, _, unit = line.partition(": ")
        is_energy = unit.endswith("Wh")
        entities.append(
            ListedEntity(
                entity_id=name,
                device_class=None,
                unit=unit,
                state_class="total_increasing" if is_energy else "measurement",
                texts=(f"AABBCCDDEEFF-sensor-{name.lower().replace(' ', '_')}", name),
            )
        )
    return entities

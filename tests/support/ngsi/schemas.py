"""Schemas of the Smart Data Models, and entities in the form the schemas read."""

from collections.abc import Mapping
from functools import cache
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.support.skips import skip_for_good

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "ngsi"
COMMON = "https://smart-data-models.github.io/data-models/common-schema.json"


def read(name: str) -> Any:
    """Return a file of the models; skip the test where the models are missing."""
    path = FOLDER / name
    if not path.exists():
        skip_for_good("the Smart Data Models' schemas are not in ../shared/data/ngsi")
    return json.loads(path.read_text())


@cache
def validator(model: str) -> Draft202012Validator:
    """Return the validator of a model, which checks formats such as date-time."""
    common = Resource.from_contents(
        read("common-schema.json"), default_specification=DRAFT202012
    )
    registry: Registry[Any] = Registry().with_resource(COMMON, common)
    return Draft202012Validator(
        read(f"{model}/schema.json"), registry=registry, format_checker=FormatChecker()
    )


def key_values(entity: Mapping[str, Any]) -> dict[str, Any]:
    """Return a normalized entity, NGSI-v2 or NGSI-LD, as keys and values."""
    plain: dict[str, Any] = {}
    for name, attribute in entity.items():
        if name in ("id", "type"):
            plain[name] = attribute
        elif name != "@context":
            value = attribute.get("value", attribute.get("object"))
            if isinstance(value, dict) and "@value" in value:
                value = value["@value"]
            plain[name] = value
    return plain


def errors(entity: Mapping[str, Any]) -> list[str]:
    """Return the errors of an entity by its model's schema."""
    return [
        f"{'/'.join(map(str, error.path))}: {error.message}"
        for error in validator(entity["type"]).iter_errors(key_values(entity))
    ]

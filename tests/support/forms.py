"""Read the forms of a dialogue as a person does."""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any

from homeassistant.data_entry_flow import FlowResultType

from custom_components.nrj_monitor import config_flow

SENTENCES: dict[str, str] = json.loads(
    (Path(config_flow.__file__).parent / "translations" / "en.json").read_text()
)["config"]["error"]


def sentence(form: Mapping[str, Any]) -> str:
    """Return the form's only error sentence, its placeholders filled in."""
    assert form["type"] is FlowResultType.FORM
    (error,) = form["errors"].values()
    return SENTENCES[error].format_map(form["description_placeholders"])


def fields(form: Mapping[str, Any]) -> list[str]:
    """Return the fields beside which a form shows its errors."""
    return list(form["errors"])


def typed(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return the suggested values of a form's fields."""
    return {
        str(field): (field.description or {}).get("suggested_value")
        for field in form["data_schema"].schema
    }

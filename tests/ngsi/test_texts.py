"""Texts of a broker's flow: complete, and without leftovers."""

import json
from pathlib import Path
from typing import Any

from custom_components.nrj_monitor import config_flow
from custom_components.nrj_monitor.flows.broker import (
    OAUTH2_SCHEMA,
    SERVER_SCHEMA,
    TOKEN_SCHEMA,
    entity_schema,
)
from custom_components.nrj_monitor.ngsi import errors
from custom_components.nrj_monitor.ngsi.groups import Group
from custom_components.nrj_monitor.ngsi.issues import (
    HISTORY_NEEDS_A_PERSON,
    NEED_A_PERSON,
)
from custom_components.nrj_monitor.ngsi.mapping import Api, Generation
from custom_components.nrj_monitor.ngsi.models import Model
from custom_components.nrj_monitor.ngsi.settings import AUTHS

FOLDER = Path(config_flow.__file__).parent / "translations"
TEXTS: dict[str, dict[str, Any]] = {
    language: json.loads((FOLDER / f"{language}.json").read_text())
    for language in ("en", "fr")
}

OF_FORMS = {
    "bad_ca_file",
    "bad_identifier",
    "bad_service_path",
    "bad_tenant",
    "bad_url",
    "location_required",
    "no_groups",
}
DELIVERY = {
    kind.key
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.DeliveryError)
}


def names(*schemas: Any) -> set[str]:
    """Return the fields of forms."""
    return {str(field) for schema in schemas for field in schema.schema}


def test_every_field_is_named_and_explained() -> None:
    """Find a name and a description of each field, for either interface."""
    forms = {
        "server": names(SERVER_SCHEMA),
        "token": names(TOKEN_SCHEMA),
        "oauth2": names(OAUTH2_SCHEMA),
        "entity": names(*(entity_schema(api) for api in Api)),
    }
    for texts in TEXTS.values():
        steps = texts["config_subentries"]["broker"]["step"]
        assert set(steps) == set(forms)
        for step, fields in forms.items():
            assert set(steps[step]["data"]) == fields
            assert set(steps[step]["data_description"]) == fields
        for kind in ("token", "oauth2"):
            step = texts["config"]["step"][f"reauth_{kind}"]
            assert set(step["data"]) == set(step["data_description"]) == forms[kind]


def test_every_error_has_its_text() -> None:
    """Find the text of each error of adding and of reauthenticating a broker."""
    for texts in TEXTS.values():
        assert set(texts["config_subentries"]["broker"]["error"]) == OF_FORMS | DELIVERY
        renewed = {f"broker_{key}" for key in DELIVERY | {"bad_ca_file"}}
        assert renewed <= set(texts["config"]["error"])
        issues = {f"broker_{key}" for key in NEED_A_PERSON} | {"samples_set_aside"}
        issues |= {f"history_{state}" for state in HISTORY_NEEDS_A_PERSON}
        assert issues <= set(texts["issues"])


def test_every_option_and_state_has_its_text() -> None:
    """Find the text of each option and state, and no others."""
    choices = {
        "broker_api": set(Api),
        "broker_auth": set(AUTHS),
        "broker_generation": set(Generation),
        "broker_groups": set(Group),
        "broker_model": {model.name.lower() for model in Model},
    }
    for texts in TEXTS.values():
        for key, options in choices.items():
            assert set(texts["selector"][key]["options"]) == options
        states = texts["entity"]["sensor"]["broker_link"]["state"]
        assert set(states) == set(errors.LinkState)
        states = texts["entity"]["sensor"]["broker_history"]["state"]
        assert set(states) == set(errors.HistoryState)

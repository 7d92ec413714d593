"""Every word a person reads exists, in every language, and fits its place."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import pytest
import yaml

from custom_components.nrj_monitor import config_flow
from custom_components.nrj_monitor.backfill.services import (
    BACKFILL,
    SCHEMA as BACKFILL_SCHEMA,
)
from custom_components.nrj_monitor.calibration.services import (
    SCHEMAS as CALIBRATION_SCHEMAS,
)
from custom_components.nrj_monitor.catalog import CHANNELS, Phase
from custom_components.nrj_monitor.demand.sensor import SENSORS as DEMAND_SENSORS
from custom_components.nrj_monitor.device_messages.kinds import CALIBRATION_REFUSALS
from custom_components.nrj_monitor.flows.entities import (
    RECONFIGURE_SCHEMA as RECONFIGURE_ENTITIES_SCHEMA,
    START_SCHEMA,
)
from custom_components.nrj_monitor.flows.entities_form import (
    CONF_INVERTED,
    RETURNED_SECTION,
    sections_of,
)
from custom_components.nrj_monitor.flows.mqtt import (
    MAPPING_SCHEMA,
    RECONFIGURE_SCHEMA as RECONFIGURE_TOPIC_SCHEMA,
    TOPIC_SCHEMA,
)
from custom_components.nrj_monitor.flows.native_form import (
    ADDRESS_SCHEMA,
    RECONFIGURE_SCHEMA as RECONFIGURE_NATIVE_SCHEMA,
    TAKE_OVER_SCHEMA,
)
from custom_components.nrj_monitor.loads.activity import ACTIVITIES
from custom_components.nrj_monitor.loads.sensor import ENERGIES
from custom_components.nrj_monitor.loads.services import SCHEMAS
from custom_components.nrj_monitor.ngsi.sensor import SENSORS as BROKER_SENSORS
from custom_components.nrj_monitor.ngsi.services import (
    BROKER_SCHEMA,
    CREATE_SUBSCRIPTION,
    EMPTY_SET_ASIDE,
    SEND_NOW,
    SUBSCRIPTION_SCHEMA,
)
from custom_components.nrj_monitor.replay.services import (
    REPLAY,
    SCHEMA as REPLAY_SCHEMA,
)
from custom_components.nrj_monitor.sensor import GUARD_SENSORS, describe
from custom_components.nrj_monitor.services import (
    ADD_SCHEMA,
    ADD_TO_ENERGY_DASHBOARD,
    REMOVE_FROM_ENERGY_DASHBOARD,
    REMOVE_SCHEMA,
)
from custom_components.nrj_monitor.sources import errors

FOLDER = Path(config_flow.__file__).parent
LANGUAGES = ("en", "fr")

TEXTS: dict[str, dict[str, Any]] = {
    language: json.loads((FOLDER / "translations" / f"{language}.json").read_text())
    for language in LANGUAGES
}
ICONS: dict[str, Any] = json.loads((FOLDER / "icons.json").read_text())

ACTIONS = {
    ADD_TO_ENERGY_DASHBOARD: ADD_SCHEMA,
    REMOVE_FROM_ENERGY_DASHBOARD: REMOVE_SCHEMA,
    **SCHEMAS,
    SEND_NOW: BROKER_SCHEMA,
    EMPTY_SET_ASIDE: BROKER_SCHEMA,
    CREATE_SUBSCRIPTION: SUBSCRIPTION_SCHEMA,
    BACKFILL: BACKFILL_SCHEMA,
    **CALIBRATION_SCHEMAS,
    REPLAY: REPLAY_SCHEMA,
}

OF_ACTIONS = {
    "calibration_link_down",
    "calibration_refused",
    "field_missing",
    "journal_not_read",
    "no_calibration",
    "clock_untrusted",
    "no_journal",
    "no_energy_dashboard",
    "never_shed",
    "stores_nothing",
    "class_contradicts",
    "not_a_load",
    "replay_guard_unknown",
    "replay_no_recorder",
    "replay_nothing_recorded",
    "replay_past_or_recording",
    "replay_period",
    "replay_unusable",
    "setting_link_down",
    "no_notify_url",
    "no_subscriptions",
    "not_notified",
    "not_subscribed",
    "nothing_for_energy",
    "unsuitable_sensor",
    "which_broker",
}
"""Exceptions that have nothing to do with a source of readings."""

OF_NO_CHANNEL = {
    *(description.key for description in GUARD_SENSORS),
    *(description.key for description in DEMAND_SENSORS),
    "load_activity",
    "load_until",
    "load_power",
    *(f"load_energy_{which}" for which in ENERGIES),
    *(description.translation_key for description in BROKER_SENSORS),
}
"""Sensors that show no quantity."""

FORMS = {
    "native": ADDRESS_SCHEMA,
    "topic": TOPIC_SCHEMA,
    "reconfigure_topic": RECONFIGURE_TOPIC_SCHEMA,
    "topic_mapping": MAPPING_SCHEMA,
    "entities": START_SCHEMA,
    "reconfigure_entities": RECONFIGURE_ENTITIES_SCHEMA,
    "reconfigure_native": RECONFIGURE_NATIVE_SCHEMA,
    "calibration": TAKE_OVER_SCHEMA,
}

OF_FORMS = {
    "bad_mapping",
    "bad_topic",
    "calibration_not_taken",
    "no_message",
    "no_value",
    "not_understood",
    "power_missing",
    "wrong_unit",
}
"""What can be wrong with the answers to a form, before there is a source."""

OF_BROKERS = {
    error for error in TEXTS["en"]["config"]["error"] if "broker_" in error
} - {"broker_away"}
"""What can be wrong with a context broker: tested with its own dialogue."""

PLACEHOLDER = re.compile(r"{(\w+)}")


def leaves(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its path."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}/{key}")
        else:
            yield f"{path}/{key}", value


def all_errors(kind: type[errors.SourceError]) -> Iterator[type[errors.SourceError]]:
    """Yield every error class below `kind` with a translation."""
    for error in kind.__subclasses__():
        if hasattr(error, "key"):
            yield error
        yield from all_errors(error)


def test_all_languages_have_the_same_texts_with_the_same_placeholders() -> None:
    """Find every text and placeholder in every language."""
    placeholders = [
        {path: sorted(PLACEHOLDER.findall(text)) for path, text in leaves(texts)}
        for texts in TEXTS.values()
    ]
    assert placeholders[0] == placeholders[1]


def test_french_is_french() -> None:
    """No sentence was left in English; single words may be the same."""
    english, french = (dict(leaves(TEXTS[language])) for language in LANGUAGES)
    same = [path for path, text in english.items() if french[path] == text]
    assert [path for path in same if " " in english[path]] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_keep_to_home_assistant_s_rules(language: str) -> None:
    """Allow no markup, no address and no placeholder within single quotes."""
    for path, text in leaves(TEXTS[language]):
        assert not re.search(r"<[a-z/]|https?://|'{|}'", text), path
        assert text == text.strip(), path
        assert text, path


def test_every_channel_has_a_name_and_no_name_is_left_over() -> None:
    """Catalog and translations agree."""
    keys = {describe(channel).translation_key for channel in CHANNELS.values()}
    assert set(TEXTS["en"]["entity"]["sensor"]) == keys | OF_NO_CHANNEL


def test_every_activity_of_a_load_is_translated() -> None:
    """Translate each activity of sensor and event."""
    for texts in TEXTS.values():
        assert set(texts["entity"]["sensor"]["load_activity"]["state"]) == set(
            ACTIVITIES
        )


def test_phases_are_named_in_their_names_and_totals_are_not() -> None:
    """A name on a phase says which phase."""
    for texts in TEXTS.values():
        for key, entity in texts["entity"]["sensor"].items():
            assert ("{phase}" in entity["name"]) is key.endswith("_phase")


def test_sensors_without_device_class_have_icons() -> None:
    """Give icons exactly to the entities Home Assistant draws without."""
    icons = ICONS["entity"]["sensor"]
    assert set(icons) <= set(TEXTS["en"]["entity"]["sensor"])
    for platform in ("button", "switch"):
        assert set(ICONS["entity"][platform]) == set(TEXTS["en"]["entity"][platform])
    for channel in CHANNELS.values():
        if channel.quantity.device_class is None:
            assert describe(channel).translation_key in icons


def test_every_error_has_its_sentence() -> None:
    """Every error of a form or an action has a translated sentence."""
    shown = {error.key for error in all_errors(errors.SourceError)}
    in_forms = set(TEXTS["en"]["config"]["error"]) - OF_BROKERS
    later = set(TEXTS["en"]["exceptions"]) - OF_ACTIONS - set(CALIBRATION_REFUSALS)
    assert in_forms >= OF_FORMS
    assert (in_forms - OF_FORMS) | later | {"other_meter"} == shown
    credentials = {error.key for error in all_errors(errors.CredentialError)}
    assert credentials <= in_forms
    assert credentials <= later


def test_every_field_is_explained() -> None:
    """Give each field of each form a name and a description."""
    for part in ("config", "options"):
        for step in TEXTS["en"][part]["step"].values():
            assert set(step.get("data", {})) == set(step.get("data_description", {}))
    steps = TEXTS["en"]["config"]["step"]
    for step, schema in FORMS.items():
        assert set(steps[step]["data"]) == {str(field) for field in schema.schema}


def test_every_field_for_an_entity_is_explained_in_its_section_and_outside() -> None:
    """A field that is wrong stands outside of its section."""
    step = TEXTS["en"]["config"]["step"]["entities_of"]
    sections = sections_of(tuple(Phase))
    assert set(step["data"]) == {field for of in sections.values() for field in of}
    assert set(step["sections"]) == set(filter(None, sections))
    for name, texts in step["sections"].items():
        fields = {*sections[name], *([CONF_INVERTED] * (name == RETURNED_SECTION))}
        assert set(texts["data"]) == set(texts["data_description"]) == fields
        assert texts["name"]
        assert texts["description"]


def test_every_action_and_each_of_its_fields_is_named_and_explained() -> None:
    """Fields of services.yaml, of the schemas and of the translations agree."""
    offered = yaml.safe_load((FOLDER / "services.yaml").read_text())
    assert set(ICONS["services"]) == set(offered)
    for texts in TEXTS.values():
        assert set(texts["services"]) == set(offered)
        for action, words in texts["services"].items():
            assert {"name", "description"} <= set(words)
            assert set(words["fields"]) == set(offered[action]["fields"])
            for field in words["fields"].values():
                assert set(field) == {"name", "description"}
    assert {
        action: set(map(str, schema.schema)) for action, schema in ACTIONS.items()
    } == {action: set(description["fields"]) for action, description in offered.items()}


def test_the_code_raises_only_known_translation_keys() -> None:
    """Find the text of every translation key in the code, and no text left over."""
    raised = {
        key
        for file in FOLDER.rglob("*.py")
        for key in re.findall(r'translation_key="(\w+)"', file.read_text())
    }
    assert raised & set(TEXTS["en"]["exceptions"]) >= OF_ACTIONS
    named = {key for entities in TEXTS["en"]["entity"].values() for key in entities}
    words = set(TEXTS["en"]["exceptions"]) | set(TEXTS["en"].get("issues", {})) | named
    assert raised <= words

"""Every word a person reads exists, in every language, and fits its place."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.nrj_monitor import config_flow
from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.sensor import describe
from custom_components.nrj_monitor.sources import errors

FOLDER = Path(config_flow.__file__).parent
LANGUAGES = ("en", "fr")

TEXTS: dict[str, dict[str, Any]] = {
    language: json.loads((FOLDER / "translations" / f"{language}.json").read_text())
    for language in LANGUAGES
}
ICONS: dict[str, Any] = json.loads((FOLDER / "icons.json").read_text())

PLACEHOLDER = re.compile(r"{(\w+)}")


def leaves(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its path."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}/{key}")
        else:
            yield f"{path}/{key}", value


def all_errors(kind: type[errors.SourceError]) -> Iterator[type[errors.SourceError]]:
    """Yield every error below `kind` that can be shown."""
    for error in kind.__subclasses__():
        if hasattr(error, "key"):
            yield error
        yield from all_errors(error)


def test_all_languages_have_the_same_texts_with_the_same_placeholders() -> None:
    """No text and no placeholder is missing in one language."""
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
def test_texts_keep_to_what_home_assistant_allows(language: str) -> None:
    """No markup, no addresses, no placeholder within single quotes."""
    for path, text in leaves(TEXTS[language]):
        assert not re.search(r"<[a-z/]|https?://|'{|}'", text), path
        assert text == text.strip(), path
        assert text, path


def test_every_channel_has_a_name_and_no_name_is_left_over() -> None:
    """Catalog and translations agree."""
    keys = {describe(channel).translation_key for channel in CHANNELS.values()}
    assert set(TEXTS["en"]["entity"]["sensor"]) == keys


def test_phases_are_named_in_their_names_and_totals_are_not() -> None:
    """A name on a phase says which phase."""
    for texts in TEXTS.values():
        for key, entity in texts["entity"]["sensor"].items():
            assert ("{phase}" in entity["name"]) is key.endswith("_phase")


def test_what_has_no_device_class_has_an_icon_and_icons_have_an_entity() -> None:
    """Home Assistant draws device classes itself; the rest is in icons.json."""
    icons = ICONS["entity"]["sensor"]
    assert set(icons) <= set(TEXTS["en"]["entity"]["sensor"])
    assert set(ICONS["entity"]["switch"]) == set(TEXTS["en"]["entity"]["switch"])
    for channel in CHANNELS.values():
        if channel.quantity.device_class is None:
            assert describe(channel).translation_key in icons


def test_every_error_has_its_sentence() -> None:
    """Whatever goes wrong, in the form or later, there is a sentence for it."""
    shown = {error.key for error in all_errors(errors.SourceError)}
    in_forms = set(TEXTS["en"]["config"]["error"])
    later = set(TEXTS["en"]["exceptions"])
    assert in_forms | later | {"other_meter"} == shown
    credentials = {error.key for error in all_errors(errors.CredentialError)}
    assert credentials <= in_forms
    assert credentials <= later


def test_every_field_is_explained() -> None:
    """Each field of each form has a name and a description."""
    for step in TEXTS["en"]["config"]["step"].values():
        assert set(step["data"]) == set(step["data_description"])
    assert set(TEXTS["en"]["config"]["step"]["user"]["data"]) == {
        str(field) for field in config_flow.ADDRESS_SCHEMA.schema
    }

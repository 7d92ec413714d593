"""Checks of Home Assistant's hassfest and of the HACS action, without either program."""

from collections.abc import Callable
import json
from pathlib import Path
import struct
from typing import Any

from homeassistant.helpers.selector import validate_selector
import probatio as vol
import pytest
import yaml

from custom_components.nrj_monitor.const import DOMAIN
from tests.support.published_texts import ICONS, TRANSLATIONS
from tests.support.publishing import HACS, MANIFEST, undeclared

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "custom_components" / DOMAIN

MANIFEST_JSON: dict[str, Any] = json.loads((FOLDER / "manifest.json").read_text())
HACS_JSON: dict[str, Any] = json.loads((ROOT / "hacs.json").read_text())
ICONS_JSON: dict[str, Any] = json.loads((FOLDER / "icons.json").read_text())
ENGLISH: dict[str, Any] = json.loads((FOLDER / "translations" / "en.json").read_text())
SERVICES_YAML: dict[str, Any] = yaml.safe_load((FOLDER / "services.yaml").read_text())

LANGUAGES = sorted(file.stem for file in (FOLDER / "translations").glob("*.json"))

type Table = dict[str, Any]
type Break = Callable[[Table], object]


def broken(good: Table, change: Break) -> Table:
    """Return a copy of `good` with a broken rule."""
    bad: Table = json.loads(json.dumps(good))
    change(bad)
    return bad


def test_manifest_keeps_to_its_schema() -> None:
    """The manifest has known keys in order, and its folder the name of the domain."""
    MANIFEST(MANIFEST_JSON)
    assert MANIFEST_JSON["domain"] == FOLDER.name == DOMAIN
    keys = list(MANIFEST_JSON)
    assert keys == ["domain", "name", *sorted(set(keys) - {"domain", "name"})]
    dependencies = set(MANIFEST_JSON.get("dependencies", ()))
    assert not dependencies & set(MANIFEST_JSON.get("after_dependencies", ()))


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("version"),
        lambda manifest: manifest.pop("issue_tracker"),
        lambda manifest: manifest.pop("iot_class"),
        lambda manifest: manifest.update(homeassistant="2026.10.0"),
        lambda manifest: manifest.update(description="A meter"),
        lambda manifest: manifest.update(version="new"),
        lambda manifest: manifest.update(codeowners=["somebody"]),
        lambda manifest: manifest.update(documentation="http://example.com"),
        lambda manifest: manifest.update(iot_class="push"),
        lambda manifest: manifest["zeroconf"][0]["properties"].update(mac="AA*"),
    ],
)
def test_manifest_with_a_broken_rule_is_refused(change: Break) -> None:
    """The rules refuse a manifest with an error."""
    with pytest.raises(vol.Invalid):
        MANIFEST(broken(MANIFEST_JSON, change))


def test_imported_integrations_are_declared() -> None:
    """Home Assistant sets up imported integrations first."""
    assert list(undeclared(FOLDER, MANIFEST_JSON)) == []
    bare = MANIFEST_JSON | {"dependencies": [], "after_dependencies": []}
    assert "zeroconf" in " ".join(undeclared(FOLDER, bare))


def test_manifest_agrees_with_the_files() -> None:
    """The config flow has its file, and the schema declares set-up by entries only."""
    assert MANIFEST_JSON["config_flow"] is (FOLDER / "config_flow.py").is_file()
    assert "CONFIG_SCHEMA" in (FOLDER / "__init__.py").read_text()
    assert not (FOLDER / "strings.json").exists(), "custom integrations have none"


def test_hacs_accepts_the_repository() -> None:
    """HACS finds hacs.json, a single integration, a README with pictures and a licence."""
    HACS(HACS_JSON)
    assert not HACS_JSON.get("zip_release") or HACS_JSON.get("filename")
    folders = [file.parent for file in ROOT.glob("custom_components/*/manifest.json")]
    assert folders == [FOLDER]
    assert "![" in (ROOT / "README.md").read_text()
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


@pytest.mark.parametrize(
    "change",
    [
        lambda hacs: hacs.pop("name"),
        lambda hacs: hacs.update(domains=["sensor"]),
        lambda hacs: hacs.update(render_readme="yes"),
    ],
)
def test_hacs_file_with_a_broken_rule_is_refused(change: Break) -> None:
    """Unknown, missing and invalid keys are refused."""
    with pytest.raises(vol.Invalid):
        HACS(broken(HACS_JSON, change))


@pytest.mark.parametrize(("name", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_brand_has_its_icon(name: str, size: int) -> None:
    """The icon is a square PNG of the required size, by its own header."""
    header = (FOLDER / "brand" / name).read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", header[16:24]) == (size, size)


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_to_their_schema(language: str) -> None:
    """Every text has a key known to Home Assistant, and no other key exists."""
    path = FOLDER / "translations" / f"{language}.json"
    TRANSLATIONS(json.loads(path.read_text()))
    assert "[%key:" not in path.read_text(), "references work in core only"


@pytest.mark.parametrize(
    "change",
    [
        lambda texts: texts.update(extra={"a": "b"}),
        lambda texts: texts["config"].update(title="NRJ Monitor"),
        lambda texts: texts["config"]["error"].update(a="see https://example.com"),
        lambda texts: texts["config"]["error"].update(a="<b>no</b>"),
        lambda texts: texts["config"]["error"].update(a="'{name}' is gone"),
        lambda texts: texts["config"]["error"].update(a=" no"),
        lambda texts: texts["config"]["error"].update(a=""),
        lambda texts: texts["config"]["step"]["native"]["data_description"].update(
            a="b"
        ),
        lambda texts: texts["entity"]["sensor"].update({"_a": {"name": "b"}}),
        lambda texts: texts["entity"]["sensor"].update({"a": {"aliases": "b"}}),
        lambda texts: texts["exceptions"].update(a={"text": "b"}),
        lambda texts: texts.update(issues={"a": {"title": "b"}}),
        lambda texts: texts["services"].update(a={"name": "b"}),
    ],
)
def test_translations_with_a_broken_rule_are_refused(change: Break) -> None:
    """Addresses, markup, quoted placeholders and stray keys are each refused."""
    with pytest.raises(vol.Invalid):
        TRANSLATIONS(broken(ENGLISH, change))


def test_icons_keep_to_their_schema_and_belong_to_something() -> None:
    """Every icon belongs to a named entity or action."""
    ICONS(ICONS_JSON)
    for platform, icons in ICONS_JSON["entity"].items():
        assert set(icons) <= set(ENGLISH["entity"][platform])
    for part in ("services", "triggers", "conditions"):
        assert set(ICONS_JSON.get(part, {})) == set(ENGLISH.get(part, {}))
    with pytest.raises(vol.Invalid):
        ICONS(broken(ICONS_JSON, lambda icons: icons.update(services={"a": "mdi:b"})))
    with pytest.raises(vol.Invalid):
        ICONS({"entity": {"sensor": {"a": {"default": "hass:b"}}}})


@pytest.mark.parametrize("part", ["services", "triggers", "conditions"])
def test_actions_triggers_and_conditions_are_described(part: str) -> None:
    """Files, texts and icons of actions, triggers and conditions have the same keys."""
    path = FOLDER / f"{part}.yaml"
    offered: Table = yaml.safe_load(path.read_text()) if path.is_file() else {}
    texts = ENGLISH.get(part, {})
    described = {name for name in offered if not name.startswith(".")}
    assert described == set(texts)
    for name in described:
        fields = offered[name].get("fields") or {}
        assert set(fields) == set(texts[name].get("fields", {})), name
        for field in fields.values():
            assert set(field) <= {
                "advanced",
                "default",
                "example",
                "filter",
                "required",
                "selector",
            }
            validate_selector(field["selector"])

"""The ledger of the quality scale is complete, and true wherever a machine can tell.

`CHECKED` lists the rules that a test here or elsewhere proves. Whether the prose of the
docs is good, a person judges.
"""

from annotationlib import get_annotations
from importlib import import_module
import json
from pathlib import Path
from pkgutil import walk_packages
import re
import tomllib
from types import ModuleType
from typing import Any

from homeassistant.const import Platform
from homeassistant.helpers.entity import Entity
import pytest
import yaml

import coverage_floor
from custom_components import nrj_monitor as integration
from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "custom_components" / DOMAIN

RULES = {
    "bronze": """
        action-setup appropriate-polling brands common-modules config-flow-test-coverage
        config-flow dependency-transparency docs-actions docs-triggers docs-conditions
        docs-high-level-description docs-installation-instructions
        docs-removal-instructions entity-event-setup entity-unique-id has-entity-name
        runtime-data test-before-configure test-before-setup unique-config-entry
    """,
    "silver": """
        action-exceptions config-entry-unloading docs-configuration-parameters
        docs-installation-parameters entity-unavailable integration-owner
        log-when-unavailable parallel-updates reauthentication-flow test-coverage
    """,
    "gold": """
        devices diagnostics discovery-update-info discovery docs-data-update
        docs-examples docs-known-limitations docs-supported-devices
        docs-supported-functions docs-troubleshooting docs-use-cases dynamic-devices
        entity-category entity-device-class entity-disabled-by-default
        entity-translations exception-translations icon-translations
        reconfiguration-flow repair-issues stale-devices
    """,
    "platinum": "async-dependency inject-websession strict-typing",
}

LEDGER: dict[str, Any] = yaml.safe_load((FOLDER / "quality_scale.yaml").read_text())[
    "rules"
]

CITED = re.compile(
    r"[\w@/.-]*\w\.(?:py|md|json|yaml|toml|png)\b|\b(?:flows|scripts)/\w*"
)


def cited(comment: str) -> list[str]:
    """Return the files a comment names."""
    return CITED.findall(comment)


def test_each_of_the_54_rules_is_there_once_and_in_order() -> None:
    """List each of the 54 rules, none left out and none made up."""
    rules = [rule for tier in RULES.values() for rule in tier.split()]
    assert len(rules) == len(set(rules)) == 54
    assert list(LEDGER) == rules


@pytest.mark.parametrize("rule", LEDGER)
def test_a_rule_is_done_somewhere_or_exempt_for_a_reason(rule: str) -> None:
    """Every line says where, or why not."""
    line = LEDGER[rule]
    assert set(line) == {"status", "comment"}
    assert line["status"] in {"done", "exempt", "todo"}
    assert len(line["comment"]) > 5


@pytest.mark.parametrize("rule", LEDGER)
def test_every_named_file_exists(rule: str) -> None:
    """Find every file named as a proof, none moved or deleted."""
    for name in cited(LEDGER[rule]["comment"]):
        assert (FOLDER / name).exists() or (ROOT / name).exists(), name


def test_the_names_of_files_are_recognised() -> None:
    """The check above does look at something."""
    assert cited("flows/native.py; in flows/, see docs/using.md.") == [
        "flows/native.py",
        "flows/",
        "docs/using.md",
    ]
    assert sum(bool(cited(line["comment"])) for line in LEDGER.values()) > 40


def own_modules() -> list[ModuleType]:
    """Return all modules of the integration, imported."""
    names = (
        name
        for _, name, _ in walk_packages(
            integration.__path__, integration.__name__ + "."
        )
    )
    return [import_module(name) for name in names]


def own_entities() -> list[type[Entity]]:
    """Return the entity classes of the integration."""
    found = {
        value
        for module in own_modules()
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Entity)
        and value.__module__.startswith(integration.__name__)
    }
    return sorted(found, key=lambda entity: entity.__qualname__)


ENTITIES = own_entities()
PLATFORM_FILES = [
    file
    for file in sorted(FOLDER.glob("*.py"))
    if file.stem in {platform.value for platform in Platform}
]
SOURCE_TEXTS = {
    file.relative_to(FOLDER): file.read_text() for file in sorted(FOLDER.rglob("*.py"))
}


def yaml_fields(name: str) -> dict[str, set[str]]:
    """Return the fields of each action, trigger or condition in a YAML file."""
    described: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return {
        key: set(value.get("fields", {}))
        for key, value in described.items()
        if not key.startswith(".")
    }


def docs_cited(rule: str) -> str:
    """Return the text of the pages named in a rule's line."""
    pages = [name for name in cited(LEDGER[rule]["comment"]) if name.endswith(".md")]
    assert pages, rule
    return "\n".join((ROOT / page).read_text() for page in pages)


def test_the_integration_has_entities_and_platforms() -> None:
    """The checks below do look at something."""
    assert len(ENTITIES) > 15
    assert len(PLATFORM_FILES) == 9


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.__name__)
def test_no_entity_is_polled(entity: type[Entity]) -> None:
    """appropriate-polling: every state is written when its source says something."""
    assert entity.__new__(entity).should_poll is False
    assert "should_poll" not in vars(entity)
    assert "async_update" not in vars(entity)


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.__name__)
def test_every_entity_is_named_within_its_device(entity: type[Entity]) -> None:
    """has-entity-name."""
    assert entity.__new__(entity).has_entity_name is True


def test_every_platform_says_how_many_updates_may_run_at_once() -> None:
    """parallel-updates."""
    for file in PLATFORM_FILES:
        assert re.search(r"^PARALLEL_UPDATES = \d", file.read_text(), re.MULTILINE), (
            file
        )


def test_there_is_one_type_of_config_entry() -> None:
    """runtime-data and strict-typing: no entry of unknown data, no data kept aside."""
    defined = [
        path for path, text in SOURCE_TEXTS.items() if "type NrjConfigEntry =" in text
    ]
    assert defined == [Path("entry_data.py")]
    for path, text in SOURCE_TEXTS.items():
        untyped = re.findall(r"\bConfigEntry\[Any\]|: ConfigEntry\b(?!\[)", text)
        assert untyped == [] or path in TYPES_OF_HOME_ASSISTANT, path
        kept = re.findall(r"hass\.data(?:\[|\.setdefault|\.get)", text)
        assert kept == [] or path in SHARED_BY_METERS, path
    for file in PLATFORM_FILES:
        setup = get_annotations(
            import_module(f"{integration.__name__}.{file.stem}").async_setup_entry
        )
        assert setup["entry"] is NrjConfigEntry, file


TYPES_OF_HOME_ASSISTANT = {Path("__init__.py"), Path("sources/esphome_entry.py")}
"""Files that deal with entries of other integrations too: changes of any entry, and the
key that the ESPHome integration has."""

SHARED_BY_METERS = {Path("energy_dashboard/dashboard.py")}
"""Keeps one file about the one energy dashboard, whichever meters are in it."""


def test_types_are_checked_strictly() -> None:
    """strict-typing: mypy's own setting, and no module of ours left out."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert settings["strict"] is True
    for override in settings["overrides"]:
        modules = " ".join(override["module"])
        assert not re.search(r"custom_components|nrj_", modules), modules
        assert set(override) == {"module", "ignore_missing_imports"}


def test_nothing_but_home_assistant_s_library_is_required() -> None:
    """dependency-transparency."""
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    assert manifest.get("requirements", []) == []
    assert manifest["codeowners"]


def test_sessions_are_home_assistant_s_own() -> None:
    """inject-websession."""
    for path, text in SOURCE_TEXTS.items():
        assert not re.search(r"\bClientSession\(", text), path
    assert any("async_get_clientsession" in text for text in SOURCE_TEXTS.values())


@pytest.mark.parametrize("action", yaml_fields("services.yaml"))
def test_the_docs_describe_each_action_and_its_fields(action: str) -> None:
    """docs-actions."""
    text = docs_cited("docs-actions")
    assert f"`{action}`" in text or f"`{DOMAIN}.{action}`" in text
    for field in yaml_fields("services.yaml")[action]:
        assert f"`{field}`" in text, field


@pytest.mark.parametrize(
    ("rule", "file"),
    [("docs-triggers", "triggers.yaml"), ("docs-conditions", "conditions.yaml")],
)
def test_the_docs_describe_each_trigger_and_condition_with_its_fields(
    rule: str, file: str
) -> None:
    """docs-triggers and docs-conditions: a table row for each, with all its fields."""
    lines = docs_cited(rule).splitlines()
    fields = yaml_fields(file)
    assert fields
    for key, wanted in fields.items():
        rows = [line for line in lines if line.startswith(f"| `{DOMAIN}.{key}`")]
        assert len(rows) == 1, key
        named = set(re.findall(r"`(\w+)`", rows[0].partition("|")[2]))
        assert wanted - {"behavior", "for"} <= named, key
    text = "\n".join(lines)
    for common in ("behavior", "for"):
        assert f"| `{common}` |" in text, common


def test_the_docs_tell_how_each_source_is_updated() -> None:
    """docs-data-update: the device, MQTT and entities each push, and fall silent."""
    section = re.search(
        r"^## How readings arrive$(.*?)^## ",
        docs_cited("docs-data-update"),
        re.MULTILINE | re.DOTALL,
    )
    assert section is not None
    for source in ("native API", "MQTT", "entities"):
        assert source in section[1], source


def test_the_docs_list_the_limits_of_each_part() -> None:
    """Name each part with limits under the known limitations."""
    section = re.search(
        r"^## Known limitations$(.*)",
        docs_cited("docs-known-limitations"),
        re.MULTILINE | re.DOTALL,
    )
    assert section is not None
    for part in ("billing", "journal", "events", "Assist", "broker", "load"):
        assert re.search(part, section[1], re.IGNORECASE), part


def test_the_dialogues_are_covered_whole() -> None:
    """config-flow-test-coverage: the check after the tests asks for all their lines."""
    for name in ("config_flow.py", "flows/native.py", "flows/broker.py"):
        assert coverage_floor.floor_of(f"custom_components/{DOMAIN}/{name}") == 100.0
    assert coverage_floor.floor_of(f"custom_components/{DOMAIN}/meter.py") == 95.0


CHECKED = {
    "appropriate-polling": test_no_entity_is_polled,
    "brands": "tests/repository/test_published_files.py",
    "config-flow-test-coverage": test_the_dialogues_are_covered_whole,
    "dependency-transparency": test_nothing_but_home_assistant_s_library_is_required,
    "docs-actions": test_the_docs_describe_each_action_and_its_fields,
    "docs-triggers": test_the_docs_describe_each_trigger_and_condition_with_its_fields,
    "docs-conditions": test_the_docs_describe_each_trigger_and_condition_with_its_fields,
    "docs-data-update": test_the_docs_tell_how_each_source_is_updated,
    "docs-known-limitations": test_the_docs_list_the_limits_of_each_part,
    "has-entity-name": test_every_entity_is_named_within_its_device,
    "inject-websession": test_sessions_are_home_assistant_s_own,
    "integration-owner": test_nothing_but_home_assistant_s_library_is_required,
    "parallel-updates": test_every_platform_says_how_many_updates_may_run_at_once,
    "runtime-data": test_there_is_one_type_of_config_entry,
    "strict-typing": test_types_are_checked_strictly,
    "test-coverage": "tests/repository/test_coverage_floor.py",
}
"""What proves a rule: a test above, or a file of tests."""


@pytest.mark.parametrize("rule", CHECKED)
def test_a_checked_rule_is_claimed_as_done(rule: str) -> None:
    """Claim every tested rule as done, with its proof present."""
    assert LEDGER[rule]["status"] == "done"
    proof = CHECKED[rule]
    assert callable(proof) or (ROOT / str(proof)).exists()

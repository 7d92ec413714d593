"""The ledger of the quality scale is complete, honest about its kind, and not out of date."""

from pathlib import Path
import re
from typing import Any

from homeassistant.const import Platform
import pytest
import yaml

from custom_components.nrj_monitor.const import DOMAIN

ROOT = Path(__file__).parents[1]
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
    """None is left out because it is inconvenient, none is made up."""
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
def test_what_a_line_names_exists(rule: str) -> None:
    """A file that was moved or deleted no longer proves anything."""
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


def test_every_platform_says_how_many_updates_may_run_at_once() -> None:
    """The rule parallel-updates, read from the files themselves."""
    platforms = {platform.value for platform in Platform}
    files = [file for file in FOLDER.glob("*.py") if file.stem in platforms]
    assert {"sensor", "switch"} <= {file.stem for file in files}
    for file in files:
        assert re.search(r"^PARALLEL_UPDATES = \d", file.read_text(), re.MULTILINE), (
            file
        )

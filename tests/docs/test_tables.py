"""Compare the documents' tables with the code: words of dialogues, repairs, numbers."""

import json
import re
from typing import Any

import pytest
import yaml

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.frequency_guard.guard_profile import (
    PROFILES,
    GuardProfile,
    Threshold,
)
from custom_components.nrj_monitor.frequency_guard.stuck_filter import (
    STUCK_AFTER,
    STUCK_SAMPLES,
)
from custom_components.nrj_monitor.issues.checks import CLOCK_TOLERANCE
from custom_components.nrj_monitor.sources.errors import (
    BrokerAwayError,
    EntitiesAwayError,
    SilentError,
    SourceError,
)

from .pages import ROOT
from .tables import codes, page_text, quotes, table

INTEGRATION = ROOT / "custom_components" / DOMAIN
ENGLISH: dict[str, Any] = json.loads(
    (INTEGRATION / "translations" / "en.json").read_text()
)
SERVICES: dict[str, Any] = yaml.safe_load((INTEGRATION / "services.yaml").read_text())
SIMULATION = ROOT / "esphome" / "packages" / "simulation.yaml"

NAMED = re.compile(r"\{\w+\}")
"""What a text of the translations leaves to be filled in; the documents put … there."""

OF_OTHER_SOURCES = {BrokerAwayError, SilentError, EntitiesAwayError}
"""Errors that the dialogue for the meter's own firmware never shows."""


def errors_of_the_meter() -> dict[str, str]:
    """Return the dialogue's error texts for a meter, by key."""
    config = ENGLISH["config"]
    texts = {**config["abort"], **config["error"]}
    kinds = [SourceError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {
        kind.key: NAMED.sub("…", texts[kind.key])
        for kind in kinds
        if kind not in OF_OTHER_SOURCES and getattr(kind, "key", None) in texts
    }


def test_the_dialogue_s_errors_are_quoted_completely() -> None:
    """Match each row to the beginning of a single error, with no error missing."""
    texts = errors_of_the_meter()
    assert len(texts) >= 11
    rows = table("troubleshooting.md", "it says", "what to do")
    quoted = [quote for row in rows for quote in quotes(row["it says"])]
    begun = {
        quote: [key for key, text in texts.items() if text.startswith(quote)]
        for quote in quoted
    }
    assert {quote: keys for quote, keys in begun.items() if len(keys) != 1} == {}
    assert {key for keys in begun.values() for key in keys} == texts.keys()


def test_the_repairs_are_listed_completely() -> None:
    """List each repair by its title, with its dialogue."""
    rows = table("troubleshooting.md", "repair", "why", "what to do", "dialogue")
    documented = {quotes(row["repair"])[0]: row["dialogue"] == "yes" for row in rows}
    assert len(documented) == len(rows)
    assert documented == {
        re.sub(r"^\{name\}:? ", "", issue["title"]): "fix_flow" in issue
        for issue in ENGLISH["issues"].values()
    }


def test_the_clock_s_tolerance_is_documented() -> None:
    """Document the tolerated clock error in minutes."""
    (row,) = (
        row for row in table("troubleshooting.md", "repair") if "clock" in row["repair"]
    )
    words = {60: "a minute", 120: "two minutes", 180: "three minutes"}
    assert (
        f"more than {words[round(CLOCK_TOLERANCE.total_seconds())]} off" in row["why"]
    )


@pytest.mark.parametrize("kind", ["trigger", "condition"])
def test_the_triggers_and_conditions_are_those_there_are(kind: str) -> None:
    """Compare keys and names in the automation editor with the table."""
    rows = table("load-control.md", kind, "in the editor")
    assert [(row[kind], *quotes(row["in the editor"])) for row in rows] == [
        (f"`nrj_monitor.{key}`", texts["name"])
        for key, texts in ENGLISH[f"{kind}s"].items()
    ]


def test_a_stuck_frequency_is_documented() -> None:
    """Document for how long and how many readings a frequency may stand still."""
    assert (STUCK_AFTER, STUCK_SAMPLES) == (60.0, 30)
    rows = table("load-control.md", "what", "what happens")
    assert any(
        row["what"] == "a frequency that stands still for a minute and thirty samples"
        for row in rows
    )


def _cell(threshold: Threshold, sign: str) -> str:
    return f"{sign} {threshold.hertz:.2f}, {threshold.delay_ms / 1000:g} s"


@pytest.mark.parametrize(
    ("column", "profile"),
    [
        ("Continental Europe", "continental_europe"),
        ("Great Britain, Nordic, Ireland", "great_britain_nordic"),
        ("North America (60 Hz)", "north_america"),
        ("Island (50 Hz; ×1.2 for 60)", "island_50"),
    ],
)
def test_the_profiles_are_those_of_the_guard(column: str, profile: str) -> None:
    """List each threshold of the guard's profiles with its delay."""
    rows = table("frequency-guard.md", "", "Continental Europe")
    guard: GuardProfile = PROFILES[profile]
    expected = [
        *(_cell(threshold, "<") for threshold in guard.under),
        _cell(guard.restore, "≥"),
        *(_cell(threshold, "≥") for threshold in guard.over),
        _cell(guard.release, "≤"),
    ]
    assert [row[column] for row in rows] == expected


def test_an_island_at_60_hz_scales_the_50_hz_profile() -> None:
    """Raise each frequency of the 50 Hz island profile by a fifth for 60 Hz."""
    slow, fast = (
        [*profile.under, profile.restore, *profile.over, profile.release]
        for profile in (PROFILES["island_50"], PROFILES["island_60"])
    )
    assert [threshold.delay_ms for threshold in fast] == [t.delay_ms for t in slow]
    assert [threshold.hertz for threshold in fast] == pytest.approx(
        [1.2 * threshold.hertz for threshold in slow]
    )


def test_the_simulator_s_actions_are_those_of_its_firmware() -> None:
    """List each action of the simulator's firmware with all of its arguments."""
    text = re.sub(r"!\w+", "", SIMULATION.read_text())
    actions = yaml.safe_load(text)["api"]["actions"]
    documented = {
        action: codes(row["arguments"])
        for row in table("simulator.md", "action", "arguments")
        for action in codes(row["action"])
    }
    assert documented == {
        action["action"]: list(action["variables"]) for action in actions
    }


def test_the_simulator_s_variables_are_listed_completely() -> None:
    """List every environment variable of the firmware and the simulator."""
    read = {
        name
        for path in (SIMULATION, *(ROOT / "esphome/components").rglob("*.cpp"))
        for name in re.findall(r'"(NRJ_[A-Z_]+)"', path.read_text())
    }
    rows = table("simulator.md", "variable", "meaning")
    documented = {name for row in rows for name in codes(row["variable"])}
    assert documented == read | {"ESPHOME_PREFDIR"}


def test_the_bounds_of_a_calibration_are_documented() -> None:
    """Document the calibration bounds of component and configuration."""
    headers = (ROOT / "esphome/components").rglob("calibration*.h")
    text = "".join(header.read_text() for header in headers)
    (most,) = re.findall(r"MAXIMUM_GAIN = ([\d.]+);", text)
    (least,) = re.findall(r"MINIMUM_GAIN = ([\d.]+);", text)
    up, down = 100 * (float(most) - 1), 100 * (1 - float(least))
    assert (
        f"by more than {up:.0f} % upwards or {down:.0f} % downwards is refused"
        in page_text("calibration.md")
    )


LOAD_ACTIONS = {"shed", "restore", "absorb", "release", "override"}


def _documented_actions(page: str) -> set[str]:
    rows = table(page, "action", "what it does")
    return {
        action.removeprefix(f"{DOMAIN}.")
        for row in rows
        for action in codes(row["action"])
    }


def test_the_actions_are_listed_completely() -> None:
    """List the actions on loads and on brokers on their own pages, and name the others."""
    loads, brokers = map(_documented_actions, ("load-control.md", "fiware.md"))
    assert loads == LOAD_ACTIONS
    others = SERVICES.keys() - loads - brokers
    texts = page_text("using.md") + page_text("journal.md")
    assert loads | brokers <= SERVICES.keys()
    assert {name for name in others if f"`{DOMAIN}.{name}`" not in texts} == set()


def test_the_fields_of_the_energy_dashboard_s_action_are_its_own() -> None:
    """List all fields of the action."""
    rows = table("using.md", "field", "what it is")
    documented = {name for row in rows for name in codes(row["field"])}
    assert documented == SERVICES["add_to_energy_dashboard"]["fields"].keys()

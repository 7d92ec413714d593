"""Logbook messages in English and French."""

import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.nrj_monitor import const
from custom_components.nrj_monitor.frequency_guard.event import KINDS as GUARD_KINDS
from custom_components.nrj_monitor.loads.activity import ACTIVITIES
from custom_components.nrj_monitor.logbook import (
    describe_guard,
    describe_load,
    describe_power_quality,
)
from custom_components.nrj_monitor.power_quality.event import KINDS as QUALITY_KINDS
from tests.support.texts import use_language

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")

TRANSLATIONS = Path(const.__file__).parent / "translations"
NOTICES = ("futile", "no_effect", "disobeys", "no_relief", "lost")


def selector(language: str, name: str) -> dict[str, str]:
    """Return the texts of a selector from the file of a language."""
    texts = json.loads((TRANSLATIONS / f"{language}.json").read_text(encoding="utf-8"))
    options: dict[str, str] = texts["selector"][name]["options"]
    return options


@pytest.mark.parametrize(
    ("language", "data", "message"),
    [
        ("en", {"activity": "shed_overload"}, "Off: too much is drawn"),
        ("fr", {"activity": "shed_overload"}, "Éteint : trop de puissance tirée"),
        ("en", {"activity": "surplus", "power": 1840}, "On: surplus, with 1840 W"),
        ("fr", {"activity": "surplus", "power": 1840}, "Allumé : surplus, avec 1840 W"),
        ("en", {"activity": "lost", "dry_run": True}, "Meter lost (dry run)"),
        ("fr", {"activity": "lost", "dry_run": True}, "Compteur perdu (à blanc)"),
        ("en", {"notice": "disobeys"}, "Did not switch after three commands"),
        ("fr", {"notice": "disobeys"}, "N’a pas commuté après trois commandes"),
        ("de", {"notice": "disobeys"}, "Did not switch after three commands"),
        ("en", {"activity": "{new}"}, "{new}"),
    ],
)
async def test_loads(
    hass: HomeAssistant, language: str, data: dict[str, Any], message: str
) -> None:
    """A decision and a notice; English where there is no translation."""
    await use_language(hass, language)
    assert describe_load(hass, data) == message


@pytest.mark.parametrize(
    ("language", "data", "message"),
    [
        (
            "en",
            {"kind": "shed_1", "reason": "under_frequency", "frequency": 49.7},
            "found the grid low and sheds the first loads (frequency low) at 49.700 Hz",
        ),
        (
            "fr",
            {"kind": "normal", "reason": "recovered", "frequency": 49.95},
            "a trouvé le réseau normal (fréquence rétablie) à 49.950 Hz",
        ),
        (
            "en",
            {
                "kind": "invalid",
                "state": "invalid",
                "reason": "no_frequency",
                "frequency": 49.99,
            },
            "has no valid frequency and holds (no frequency measured)",
        ),
        (
            "fr",
            {"kind": "relay_off", "reason": "shed", "relay": "Relais 1"},
            "a ouvert Relais 1 (délestage)",
        ),
    ],
)
async def test_guard(
    hass: HomeAssistant, language: str, data: dict[str, Any], message: str
) -> None:
    """State of the guard or relay, reason and frequency."""
    await use_language(hass, language)
    assert describe_guard(hass, data) == message


async def test_power_quality_in_french(hass: HomeAssistant) -> None:
    """Kind, phase, extreme and duration of an event."""
    await use_language(hass, "fr")
    dip = {"kind": "dip", "phase": "L1", "extreme": 115.2, "unit": "V"}
    assert describe_power_quality(hass, dip | {"duration_s": 0.3}) == (
        "creux de tension sur L1 jusqu’à 115.2 V pendant 300 ms"
    )
    assert describe_power_quality(hass, {"kind": "phase_loss", "ongoing": True}) == (
        "phase perdue : a commencé et dure"
    )


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_event_has_a_text(hass: HomeAssistant, language: str) -> None:
    """No key is shown in place of a text, in either language."""
    await use_language(hass, language)
    for activity in ACTIVITIES:
        assert describe_load(hass, {"activity": activity}) != activity
    for notice in NOTICES:
        assert describe_load(hass, {"notice": notice}) != notice
    assert set(selector(language, "logbook_notice")) == set(NOTICES)
    assert set(selector(language, "logbook_guard")) == set(GUARD_KINDS)
    assert set(QUALITY_KINDS) <= set(selector(language, "logbook_power_quality"))

"""Findings of the wiring check: parsed from codes, and put into the user's language."""

from pathlib import Path
import re

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_load_integrations
import pytest

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.issues.checks import Facts, failed_checks
from custom_components.nrj_monitor.issues.monitor import translate_findings
from custom_components.nrj_monitor.issues.wiring import (
    MAX_LENGTH,
    WiringCode,
    WiringFinding,
    parse_findings,
)

FIRMWARE = Path(__file__).parents[2] / "esphome/components/wiring_check"


def test_every_code_of_the_firmware_is_known() -> None:
    """The table of names in the firmware has the codes of the integration, in order."""
    source = (FIRMWARE / "wiring_findings.cpp").read_text()
    table = source.split("CODE_NAMES[] = {")[1].split("};")[0]
    assert re.findall(r'\{"(\w+)",', table) == [str(code) for code in WiringCode]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("right", (WiringFinding(WiringCode.RIGHT),)),
        (
            "no_voltage:V1,V3;no_current:I2",
            (
                WiringFinding(WiringCode.NO_VOLTAGE, ("V1", "V3")),
                WiringFinding(WiringCode.NO_CURRENT, ("I2",)),
            ),
        ),
        (
            "misplaced_current:I1=L2,I2=L3,I3=L1",
            (WiringFinding(WiringCode.MISPLACED_CURRENT, ("I1=L2", "I2=L3", "I3=L1")),),
        ),
    ],
)
def test_codes_are_parsed(text: str, expected: tuple[WiringFinding, ...]) -> None:
    """Codes come with their inputs, in their order."""
    assert parse_findings(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        ";",
        "right;",
        "Everything is connected right.",
        "a_code_of_a_later_firmware",
        "no_voltage:V1;a_code_of_a_later_firmware:I1",
        "no_voltage:",
        "no_voltage:V4",
        "no_voltage:V1,V2,V3,V1",
        "no_voltage:V1\n",
        "no_voltage:{name}",
        "misplaced_current:I1=L2=L3",
        "no_voltage:<b>",
        ";".join(["right"] * 13),
        "right" * MAX_LENGTH,
        "ＲＩＧＨＴ",
    ],
)
def test_what_is_no_code_is_not_guessed(text: str | None) -> None:
    """Anything but well-formed codes this version knows is left to the sentence."""
    assert parse_findings(text) is None


@pytest.mark.parametrize(
    ("text", "is_fault"),
    [
        ("right", False),
        ("incomplete;no_current:I1", False),
        ("unclear_currents", False),
        ("not_checked", False),
        ("no_measurement", False),
        ("no_voltage:V2;no_current:I1", True),
        ("incomplete;uncertain_current:I1;switch_on_heater:L1", False),
        ("lost_tap:V3", True),
        ("unclear_sequence;switch_on_heater:L1", True),
        ("exchanged_voltages:V1,V2", True),
        ("reversed_current:I1", True),
    ],
)
def test_the_code_decides_and_not_the_sentence(text: str, is_fault: bool) -> None:
    """The codes of a meter decide, whatever its sentence says."""
    for sentence in ("Everything is connected right.", "Swap the wires.", "", None):
        facts = Facts(wiring=sentence, wiring_findings=parse_findings(text))
        assert ("wrong_wiring" in failed_checks(facts)) is is_fault


def test_a_check_that_is_not_finished_asks_for_a_heater() -> None:
    """What is uncertain is no fault; the issue says what to switch on."""
    facts = Facts(
        wiring="Switch a kettle on on L1.",
        wiring_findings=parse_findings(
            "incomplete;uncertain_current:I1;switch_on_heater:L1"
        ),
        wiring_advice="Allumez une bouilloire sur L1.",
    )
    assert failed_checks(facts) == {
        "unfinished_wiring": {"advice": "Allumez une bouilloire sur L1."}
    }
    facts = Facts(wiring_findings=parse_findings("lost_tap:V1;switch_on_heater:L2"))
    assert set(failed_checks(facts)) == {"wrong_wiring"}


def test_a_later_firmware_is_judged_by_its_sentence() -> None:
    """Unknown codes leave the decision to the sentence of the meter."""
    sentence = "No voltage at V2: check fuse and wire."
    facts = Facts(wiring=sentence, wiring_findings=parse_findings("melted_fuse:V2"))
    assert failed_checks(facts)["wrong_wiring"] == {"advice": sentence}


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            (
                "No voltage at V1, V3: check fuse and wire. These transformers are on"
                " another line, move each to its own: I1 → L2, I2 → L1."
            ),
        ),
        (
            "fr",
            (
                "Pas de tension sur V1, V3 : vérifiez le fusible et le fil. Ces"
                " transformateurs sont sur une autre phase, mettez chacun sur la sienne :"
                " I1 → L2, I2 → L1."
            ),
        ),
    ],
)
async def test_findings_are_said_in_the_users_language(
    hass: HomeAssistant, language: str, expected: str
) -> None:
    """Each finding is a sentence of the language of Home Assistant."""
    hass.config.language = language
    await async_load_integrations(hass, {DOMAIN})
    findings = parse_findings("no_voltage:V1,V3;misplaced_current:I1=L2,I2=L1")
    assert findings is not None
    assert translate_findings(hass, findings) == expected
    for code in WiringCode:
        sentence = translate_findings(hass, [WiringFinding(code, ("V1",))])
        assert sentence is not None
        assert "{" not in sentence
    assert translate_findings(hass, []) is None

"""Findings of the wiring check decide about the issues of a meter."""

import pytest

from custom_components.nrj_monitor.device_messages.kinds import WIRING
from custom_components.nrj_monitor.device_messages.message import parse_messages
from custom_components.nrj_monitor.issues.checks import Facts, failed_checks
from custom_components.nrj_monitor.issues.wiring import FAULTS, NO_FAULT, UNFINISHED


def test_every_finding_is_a_fault_or_none() -> None:
    """No finding is forgotten, and none is both."""
    assert set(WIRING) == FAULTS | NO_FAULT
    assert UNFINISHED < NO_FAULT


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
        facts = Facts(wiring=sentence, wiring_findings=parse_messages(text))
        assert ("wrong_wiring" in failed_checks(facts)) is is_fault


def test_a_check_that_is_not_finished_asks_for_a_heater() -> None:
    """What is uncertain is no fault; the issue says what to switch on."""
    facts = Facts(
        wiring="Switch a kettle on on L1.",
        wiring_findings=parse_messages(
            "incomplete;uncertain_current:I1;switch_on_heater:L1"
        ),
        wiring_advice="Allumez une bouilloire sur L1.",
    )
    assert failed_checks(facts) == {
        "unfinished_wiring": {"advice": "Allumez une bouilloire sur L1."}
    }
    facts = Facts(wiring_findings=parse_messages("lost_tap:V1;switch_on_heater:L2"))
    assert set(failed_checks(facts)) == {"wrong_wiring"}


def test_a_later_firmware_is_judged_by_its_sentence() -> None:
    """Unknown codes leave the decision to the sentence of the meter."""
    sentence = "No voltage at V2: check fuse and wire."
    facts = Facts(wiring=sentence, wiring_findings=parse_messages("melted_fuse:V2"))
    assert failed_checks(facts)["wrong_wiring"] == {"advice": sentence}

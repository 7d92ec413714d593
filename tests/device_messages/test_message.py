"""Messages of the firmware: parsed from codes."""

import pytest

from custom_components.nrj_monitor.device_messages.message import (
    MAX_LENGTH,
    DeviceMessage,
    parse_answer,
    parse_messages,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("right", (DeviceMessage("right"),)),
        (
            "no_voltage:V1,V3;no_current:I2",
            (
                DeviceMessage("no_voltage", {"inputs": "V1, V3"}),
                DeviceMessage("no_current", {"inputs": "I2"}),
            ),
        ),
        (
            "misplaced_current:I1=L2,I2=L3,I3=L1",
            (
                DeviceMessage(
                    "misplaced_current", {"inputs": "I1 → L2, I2 → L3, I3 → L1"}
                ),
            ),
        ),
        (
            "voltage_too_low:phase=L2,shown=3.0,input=V2",
            (
                DeviceMessage(
                    "voltage_too_low", {"phase": "L2", "shown": "3.0", "input": "V2"}
                ),
            ),
        ),
        (
            "phase_feeds_in:phase=L1,shown=-2300,of_a_later_version=+1.5",
            (
                DeviceMessage(
                    "phase_feeds_in",
                    {"phase": "L1", "shown": "-2300", "of_a_later_version": "+1.5"},
                ),
            ),
        ),
    ],
)
def test_codes_are_parsed(text: str, expected: tuple[DeviceMessage, ...]) -> None:
    """Codes come with their values, in their order."""
    assert parse_messages(text) == expected


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
        "no_voltage",
        "no_voltage:",
        "no_voltage:V4",
        "no_voltage:V1,V2,V3,V1",
        "no_voltage:V1\n",
        "no_voltage:{name}",
        "misplaced_current:I1=L2=L3",
        "no_voltage:<b>",
        "voltage_not_steady",
        "voltage_not_steady:L1",
        "voltage_not_steady:phase=L4",
        "voltage_not_steady:phase=<b>",
        "phase_feeds_in:phase=L1",
        "phase_feeds_in:phase=L1,shown=nan",
        "phase_feeds_in:phase=L1,shown=1e9",
        "phase_feeds_in:phase=L1,shown={phase}",
        ";".join(["right"] * 13),
        "right" * MAX_LENGTH,
        "ＲＩＧＨＴ",
        "phase_feeds_in:phase=L1,shown=٣",
    ],
)
def test_what_is_no_code_is_not_guessed(text: str | None) -> None:
    """Leave anything but well-formed codes of this version to the sentence."""
    assert parse_messages(text) is None


@pytest.mark.parametrize(
    ("answer", "sentence", "codes"),
    [
        ("Done. [calibration_reset]", "Done.", ["calibration_reset"]),
        ("[nothing_to_undo]", "", ["nothing_to_undo"]),
        ("There is nothing to undo.", "There is nothing to undo.", None),
        ("Of later. [a_later_code:phase=L1]", "Of later.", None),
        ("", "", None),
        ("Odd [brackets] within.", "Odd ［brackets］ within.", None),
    ],
)
def test_an_answer_is_a_sentence_and_its_codes(
    answer: str, sentence: str, codes: list[str] | None
) -> None:
    """Split codes from the sentence; an older firmware has the sentence alone."""
    said, messages = parse_answer(answer)
    assert said == sentence
    assert (messages and [message.code for message in messages]) == codes

"""Findings of the firmware's wiring check: parsed from its codes, without Home Assistant."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Final

MAX_LENGTH: Final = 255
"""Longest text of codes the firmware sends, in characters."""

MAX_FINDINGS: Final = 12
"""Most findings the firmware sends at once."""


class WiringCode(StrEnum):
    """Codes of the firmware's component wiring_check (wiring_findings.h)."""

    NO_VOLTAGE = "no_voltage"
    LOST_TAP = "lost_tap"
    SAME_LINE = "same_line"
    HIGH_LEG_MISPLACED = "high_leg_misplaced"
    NOT_SPLIT_PHASE = "not_split_phase"
    NOT_TWO_LEGS = "not_two_legs"
    NOT_THREE_PHASE = "not_three_phase"
    REVERSED_VOLTAGE = "reversed_voltage"
    EXCHANGED_VOLTAGES = "exchanged_voltages"
    REVERSED_SEQUENCE = "reversed_sequence"
    UNCLEAR_SEQUENCE = "unclear_sequence"
    EXCHANGED_CURRENTS = "exchanged_currents"
    MISPLACED_CURRENT = "misplaced_current"
    REVERSED_CURRENT = "reversed_current"
    EXCHANGED_OR_REVERSED_CURRENTS = "exchanged_or_reversed_currents"
    UNCLEAR_CURRENTS = "unclear_currents"
    RIGHT = "right"
    INCOMPLETE = "incomplete"
    UNCERTAIN_CURRENT = "uncertain_current"
    NO_CURRENT = "no_current"
    SWITCH_ON_HEATER = "switch_on_heater"
    SWITCH_ON_THREE_PHASE_HEATER = "switch_on_three_phase_heater"
    NOT_CHECKED = "not_checked"
    NO_MEASUREMENT = "no_measurement"

    @property
    def is_fault(self) -> bool:
        """Return whether a connection is wrong, rather than right or not judged."""
        return self not in NO_FAULT


NO_FAULT: Final = frozenset(
    {
        WiringCode.UNCLEAR_CURRENTS,
        WiringCode.RIGHT,
        WiringCode.INCOMPLETE,
        WiringCode.UNCERTAIN_CURRENT,
        WiringCode.NO_CURRENT,
        WiringCode.SWITCH_ON_HEATER,
        WiringCode.SWITCH_ON_THREE_PHASE_HEATER,
        WiringCode.NOT_CHECKED,
        WiringCode.NO_MEASUREMENT,
    }
)
"""Codes that name no wrong connection."""

UNFINISHED: Final = frozenset(
    {
        WiringCode.UNCERTAIN_CURRENT,
        WiringCode.UNCLEAR_CURRENTS,
        WiringCode.SWITCH_ON_HEATER,
        WiringCode.SWITCH_ON_THREE_PHASE_HEATER,
    }
)
"""Codes after which something is to be switched on, and the check repeated."""

_INPUT: Final = "[VIL][1-3](?:=L[1-3])?"
_FINDING: Final = re.compile(rf"([a-z_]+)(?::({_INPUT}(?:,{_INPUT}){{0,2}}))?")


@dataclass(frozen=True, slots=True)
class WiringFinding:
    """One finding of the wiring check."""

    code: WiringCode
    inputs: tuple[str, ...] = ()
    """Inputs or lines, like "V1"; an input on a wrong line is "I1=L2"."""

    @property
    def placeholders(self) -> Mapping[str, str]:
        """Return the inputs as the translations name them: "V1, V2" or "I1 → L2"."""
        return {"inputs": ", ".join(self.inputs).replace("=", " → ")}


def parse_findings(text: str | None) -> tuple[WiringFinding, ...] | None:
    """Parse the codes of a wiring check, like "no_voltage:V3;reversed_current:I1,I2".

    Returns:
        the findings, the most important first; None for a meter that sends no codes,
        or codes that this version does not know.
    """
    if not text or len(text) > MAX_LENGTH:
        return None
    parts = text.split(";")
    if len(parts) > MAX_FINDINGS:
        return None
    findings = []
    for part in parts:
        match = _FINDING.fullmatch(part)
        if match is None or match[1] not in WiringCode:
            return None
        inputs = tuple(match[2].split(",")) if match[2] else ()
        findings.append(WiringFinding(WiringCode(match[1]), inputs))
    return tuple(findings)

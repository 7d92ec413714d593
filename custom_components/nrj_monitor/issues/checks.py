"""Checks for faults of a meter: pure rules, without Home Assistant."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from awesomeversion import AwesomeVersion, AwesomeVersionException

from ..device_messages.message import DeviceMessage
from ..device_text import LONGEST_SENTENCE, plain
from .wiring import FAULTS, UNFINISHED

CLOCK_TOLERANCE: Final = timedelta(seconds=120)
"""Largest error of the meter's clock; the time it sends may be a minute old."""

CLOCK_GRACE: Final = timedelta(seconds=90)
"""Time after its start in which a meter may have no time of day."""

FAULTY_WIRING: Final = (
    "swap",
    "Swap",
    "Turn ",
    "No voltage at",
    "same line",
    "move it",
    "move each",
    "do not fit",
    "not opposite",
    "fit no three-phase",
    "wrong way round",
    "exchanged",
)
"""Fragments that only faults have in the sentences of a firmware without codes."""

NOT_SET: Final = "not set"
"""Text the meter sends while it has no time of day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts about a meter for the checks; None means unknown."""

    firmware: str | None = None
    minimum_firmware: str = "0"
    encrypted: bool | None = None
    wiring: str | None = None
    """English sentences of the firmware's wiring check."""
    wiring_findings: tuple[DeviceMessage, ...] | None = None
    """Findings of the wiring check; None for a firmware that sends sentences alone."""
    wiring_advice: str | None = None
    """The findings in the user's language; None without findings or translation."""
    calibration: tuple[DeviceMessage, ...] | None = None
    """Message of the last calibration step."""
    calibration_advice: str | None = None
    """That message in the user's language."""
    clock: str | None = None
    clock_words: str | None = None
    """Words for a clock that is not set, in the user's language."""
    clock_received_at: datetime | None = None
    now: datetime | None = None
    gone_back: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Totals that are lower than before, by channel id: before and now, kWh."""
    over_range_advice: str | None = None
    """What was beyond the meter's range and what would do, in the user's language; None
    for nothing."""
    refused: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    """Impossible readings by channel id: how many, and the last value."""


type Placeholders = dict[str, str]


def _old_firmware(facts: Facts) -> Placeholders | None:
    if facts.firmware is None:
        return None
    try:
        is_old = AwesomeVersion(facts.firmware) < AwesomeVersion(facts.minimum_firmware)
    except AwesomeVersionException:
        is_old = True
    if not is_old:
        return None
    return {"version": plain(facts.firmware), "minimum": facts.minimum_firmware}


def _not_encrypted(facts: Facts) -> Placeholders | None:
    return {} if facts.encrypted is False else None


def _wrong_wiring(facts: Facts) -> Placeholders | None:
    text = facts.wiring or ""
    if facts.wiring_findings is None:
        is_faulty = any(fragment in text for fragment in FAULTY_WIRING)
    else:
        is_faulty = any(finding.code in FAULTS for finding in facts.wiring_findings)
    advice = facts.wiring_advice or plain(text, LONGEST_SENTENCE)
    return {"advice": advice} if is_faulty else None


def _unfinished_wiring(facts: Facts) -> Placeholders | None:
    """Return the advice of a check that found no fault, and could not judge everything."""
    findings = facts.wiring_findings or ()
    if _wrong_wiring(facts) is not None:
        return None
    if not any(finding.code in UNFINISHED for finding in findings):
        return None
    advice = facts.wiring_advice or plain(facts.wiring or "", LONGEST_SENTENCE)
    return {"advice": advice}


def _dropped_calibration(facts: Facts) -> Placeholders | None:
    """Return the advice of a meter whose calibration belongs to another front end."""
    messages = facts.calibration or ()
    if not any(message.code == "calibration_dropped" for message in messages):
        return None
    return {"advice": facts.calibration_advice or ""}


def _wrong_clock(facts: Facts) -> Placeholders | None:
    if not facts.clock:
        return None
    if facts.clock == NOT_SET:
        if facts.now is None or facts.clock_received_at is None:
            return None
        is_late = facts.now - facts.clock_received_at >= CLOCK_GRACE
        return {"clock": facts.clock_words or plain(facts.clock)} if is_late else None
    try:
        clock = datetime.fromisoformat(facts.clock)
    except ValueError:
        return {"clock": plain(facts.clock)}
    if facts.clock_received_at is None or clock.tzinfo is None:
        return None
    if abs(clock - facts.clock_received_at) <= CLOCK_TOLERANCE:
        return None
    return {"clock": plain(facts.clock)}


def _energy_gone_back(facts: Facts) -> Placeholders | None:
    if not facts.gone_back:
        return None
    return {
        "totals": "\n".join(
            f"- {id_}: {before:.3f} → {now:.3f} kWh"
            for id_, (before, now) in sorted(facts.gone_back.items())
        )
    }


def _impossible_readings(facts: Facts) -> Placeholders | None:
    if not facts.refused:
        return None
    return {
        "readings": "\n".join(
            f"- {id_}: {count} × ({value:g})"
            for id_, (count, value) in sorted(facts.refused.items())
        )
    }


def _over_range(facts: Facts) -> Placeholders | None:
    if facts.over_range_advice is None:
        return None
    return {"advice": facts.over_range_advice}


CHECKS: Final[Mapping[str, Callable[[Facts], Placeholders | None]]] = {
    "wrong_wiring": _wrong_wiring,
    "unfinished_wiring": _unfinished_wiring,
    "dropped_calibration": _dropped_calibration,
    "old_firmware": _old_firmware,
    "wrong_clock": _wrong_clock,
    "not_encrypted": _not_encrypted,
    "energy_gone_back": _energy_gone_back,
    "impossible_readings": _impossible_readings,
    "over_range": _over_range,
}
"""Checks by the translation key of their issue; each returns the placeholders of the
issue's texts, None while all is well."""


def failed_checks(facts: Facts) -> dict[str, Placeholders]:
    """Return the placeholders of each failed check, by the key of its issue."""
    return {
        key: placeholders
        for key, check in CHECKS.items()
        if (placeholders := check(facts)) is not None
    }

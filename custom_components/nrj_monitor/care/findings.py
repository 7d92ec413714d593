"""What can be wrong with a meter: pure rules on what is known of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from awesomeversion import AwesomeVersion, AwesomeVersionException

CLOCK_TOLERANCE: Final = timedelta(seconds=60)
"""By how much the meter's clock may be off; it tells the time once a minute."""

ENERGY_TOLERANCE: Final = 0.01
"""kWh by which a total may be lower than before: the resolution of large totals."""

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
"""Words of the firmware's wiring check that only stand in a fault."""

NOT_SET: Final = "not set"
"""What the meter says instead of a time it does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a meter now; None is not known."""

    firmware: str | None = None
    minimum_firmware: str = "0"
    encrypted: bool | None = None
    wiring: str | None = None
    clock: str | None = None
    clock_told_at: datetime | None = None
    gone_back: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Totals that are lower than before: by channel id, before and now in kWh."""


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
    return {"version": facts.firmware, "minimum": facts.minimum_firmware}


def _not_encrypted(facts: Facts) -> Placeholders | None:
    return {} if facts.encrypted is False else None


def _wrong_wiring(facts: Facts) -> Placeholders | None:
    text = facts.wiring or ""
    if not any(word in text for word in FAULTY_WIRING):
        return None
    return {"advice": text}


def _wrong_clock(facts: Facts) -> Placeholders | None:
    if not facts.clock:
        return None
    if facts.clock == NOT_SET:
        return {"clock": facts.clock}
    try:
        told = datetime.fromisoformat(facts.clock)
    except ValueError:
        return {"clock": facts.clock}
    if facts.clock_told_at is None or told.tzinfo is None:
        return None
    if abs(told - facts.clock_told_at) <= CLOCK_TOLERANCE:
        return None
    return {"clock": facts.clock}


def _energy_gone_back(facts: Facts) -> Placeholders | None:
    if not facts.gone_back:
        return None
    return {
        "totals": "\n".join(
            f"- {id_}: {before:.3f} → {now:.3f} kWh"
            for id_, (before, now) in sorted(facts.gone_back.items())
        )
    }


FINDINGS: Final[Mapping[str, Callable[[Facts], Placeholders | None]]] = {
    "wrong_wiring": _wrong_wiring,
    "old_firmware": _old_firmware,
    "wrong_clock": _wrong_clock,
    "not_encrypted": _not_encrypted,
    "energy_gone_back": _energy_gone_back,
}
"""What can be found, by the key of its issue, and what its sentence names."""


def find(facts: Facts) -> dict[str, Placeholders]:
    """Return what is wrong, and what the sentences name."""
    return {
        key: placeholders
        for key, rule in FINDINGS.items()
        if (placeholders := rule(facts)) is not None
    }


class Totals:
    """Notices counters that go back."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self._latest: dict[str, float] = {}
        self._gone_back: dict[str, tuple[float, float]] = {}

    @property
    def gone_back(self) -> Mapping[str, tuple[float, float]]:
        """Return the counters that went back, before and after, in kWh."""
        return dict(self._gone_back)

    def take(self, id_: str, value: float) -> bool:
        """Note a total; return whether it is lower than it was."""
        before = self._latest.get(id_)
        self._latest[id_] = value
        if before is None or value >= before - ENERGY_TOLERANCE:
            return False
        self._gone_back[id_] = (before, value)
        return True

    def accept(self) -> None:
        """Take the counters as they are: a person knows."""
        self._gone_back.clear()

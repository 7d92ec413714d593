"""What can be wrong with a meter: pure rules on what is known of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from awesomeversion import AwesomeVersion, AwesomeVersionException

CLOCK_TOLERANCE: Final = timedelta(seconds=120)
"""By how much the meter's clock may be off; what it tells may be a minute old."""

CLOCK_GRACE: Final = timedelta(seconds=90)
"""How long a meter that has just started may know no time."""

ENERGY_TOLERANCE: Final = 0.01
"""kWh by which a total may be lower than before: the resolution of large totals."""

START_OF_A_COUNT: Final = 0.1
"""Part of what it was below which a counter has begun anew rather than gone back."""

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
    now: datetime | None = None
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
        if facts.now is None or facts.clock_told_at is None:
            return None
        is_late = facts.now - facts.clock_told_at >= CLOCK_GRACE
        return {"clock": facts.clock} if is_late else None
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


CHECKS: Final[Mapping[str, Callable[[Facts], Placeholders | None]]] = {
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
        for key, rule in CHECKS.items()
        if (placeholders := rule(facts)) is not None
    }


class EnergyCounters:
    """Notices counters that go back."""

    def __init__(self, *, may_start_over: bool = False) -> None:
        """Start with nothing known.

        `may_start_over` is for meters whose counters begin anew each day or month.
        """
        self._may_start_over = may_start_over
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
        if self._may_start_over and value < START_OF_A_COUNT * before:
            return False
        self._gone_back[id_] = (before, value)
        return True

    def accept(self) -> None:
        """Take the counters as they are: a person knows."""
        self._gone_back.clear()

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can store it."""
        return {
            "latest": dict(self._latest),
            "gone_back": {id_: list(pair) for id_, pair in self._gone_back.items()},
        }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Take over what `as_dict` returned."""
        self._latest.update(stored["latest"])
        self._gone_back.update(
            {id_: (pair[0], pair[1]) for id_, pair in stored["gone_back"].items()}
        )

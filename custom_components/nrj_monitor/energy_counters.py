"""Energy totals of a meter, checked for decreases: pure, without Home Assistant."""

from collections.abc import Mapping
import re
from typing import Any, Final

COUNT_TOLERANCE: Final = 0.01
"""kWh by which a total may be lower than before within one count."""

RELATIVE_TOLERANCE: Final = 1e-7
"""The same as a part of the total: the resolution of a 32-bit float."""

LARGEST: Final = 1e9
"""Greatest stored total, kWh, kvarh or kVAh, that may be one: the catalog's limits are
narrower, and may change."""

_ID: Final = re.compile(r"[a-z0-9_]{1,64}")

RESET_RATIO: Final = 0.1
"""Part of its latest value below which a total has begun anew rather than gone back."""


def tolerance(total: float) -> float:
    """Return the error of a total within one count, kWh."""
    return COUNT_TOLERANCE + RELATIVE_TOLERANCE * abs(total)


def begins_new_count(before: float, total: float) -> bool:
    """Return whether a total, kWh, belongs to another count than the total before."""
    return total < before - tolerance(before)


class EnergyCounters:
    """Latest energy totals, and decreases not yet acknowledged."""

    def __init__(self, *, may_start_over: bool = False) -> None:
        """Start without totals.

        `may_start_over` is for meters whose totals begin anew each day or month.
        """
        self._may_start_over = may_start_over
        self._latest: dict[str, float] = {}
        self._gone_back: dict[str, tuple[float, float]] = {}

    @property
    def gone_back(self) -> Mapping[str, tuple[float, float]]:
        """Return the decreased totals by channel id: before and after, kWh."""
        return dict(self._gone_back)

    def update(self, channel_id: str, value: float) -> bool:
        """Record a total, kWh; return whether the total has gone back."""
        before = self._latest.get(channel_id)
        self._latest[channel_id] = value
        if before is None or not begins_new_count(before, value):
            return False
        if self._may_start_over and value < RESET_RATIO * before:
            return False
        self._gone_back[channel_id] = (before, value)
        return True

    def acknowledge(self) -> None:
        """Clear the recorded decreases, which a person has acknowledged."""
        self._gone_back.clear()

    def as_dict(self) -> dict[str, Any]:
        """Return totals and decreases as JSON data."""
        return {
            "latest": dict(self._latest),
            "gone_back": {id_: list(pair) for id_, pair in self._gone_back.items()},
        }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Restore totals and decreases written by `as_dict`.

        Raises one of ArithmeticError, AttributeError, LookupError, TypeError and
        ValueError for other data, and restores nothing then.
        """
        latest = {_id(id_): _total(value) for id_, value in stored["latest"].items()}
        gone_back = {
            _id(id_): (_total(before), _total(after))
            for id_, (before, after) in stored["gone_back"].items()
        }
        self._latest.update(latest)
        self._gone_back.update(gone_back)


def _id(id_: str) -> str:
    """Return the id of a total; raises ValueError for what can not be one."""
    if _ID.fullmatch(id_) is None:
        raise ValueError(f"{id_[:40]!r} is no total")
    return id_


def _total(value: Any) -> float:
    """Return a stored total, kWh; raises TypeError or ValueError for another value."""
    if not abs(total := float(value)) <= LARGEST:
        raise ValueError(f"{value} kWh is no total")
    return total

"""Position in a journal that was stored: what can not be one is refused."""

from typing import Any

import pytest

from custom_components.nrj_monitor.backfill.journal import COUNTERS
from custom_components.nrj_monitor.backfill.journal_download import JournalPosition
from custom_components.nrj_monitor.backfill.timeline import EnergyTimeline

ANCHOR: dict[str, Any] = {
    "time": 1_790_000_000.0,
    "counters": [1] * len(COUNTERS),
    "sequence": 7,
}


def stored(**changes: Any) -> dict[str, Any]:
    """Return a stored position with changes of its anchor."""
    return {"journal": "000000a1", "done": 7, "anchor": ANCHOR | changes}


def test_a_position_survives_its_file() -> None:
    """Read what was written, with the totals at the end of the last record."""
    position = JournalPosition.from_stored(stored())
    assert position.sequence == 7
    assert JournalPosition.from_stored(position.as_stored()) == position


@pytest.mark.parametrize(
    "changes",
    [
        {"time": -1.0},
        {"time": float("nan")},
        {"counters": [1]},
        {"counters": [-1] * len(COUNTERS)},
        {"counters": [10**30] * len(COUNTERS)},
        {"sequence": 10**12},
    ],
)
def test_a_position_that_can_not_be_is_refused(changes: dict[str, Any]) -> None:
    """A time, a count or totals out of range are of no use."""
    with pytest.raises(ValueError, match=r"no time|no number|totals"):
        JournalPosition.from_stored(stored(**changes))


def test_a_timeline_that_has_not_begun_has_no_totals() -> None:
    """The position of an empty journal is its number alone."""
    assert JournalPosition.at_begin(EnergyTimeline(), "000000a1", 3) == JournalPosition(
        "000000a1", 3
    )

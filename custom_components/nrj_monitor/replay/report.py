"""Answer of a replay in the house: its timeline, bounded in size."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

LONGEST_TIMELINE: Final = 500
"""Lines of an answer; the summary counts all."""


def timeline_of(
    lines: Iterable[Mapping[str, Any]],
    titles: Mapping[str, str],
    begin: datetime | None,
) -> dict[str, Any]:
    """Return the lines with titles of loads and times of day, and how many are left out.

    `begin` is the time of the first row, None where a recording tells no time of day.
    """
    timeline: list[dict[str, Any]] = []
    left_out = 0
    for line in lines:
        if len(timeline) >= LONGEST_TIMELINE:
            left_out += 1
            continue
        told = {key: _word(value) for key, value in line.items()}
        if begin is not None:
            told["time"] = (begin + timedelta(seconds=line["t"])).isoformat(
                timespec="seconds"
            )
        if line["load"] is not None:
            told["load"] = titles.get(line["load"], line["load"])
        timeline.append(told)
    return {"timeline": timeline, "left_out": left_out}


def summary_of(summary: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    """Return a summary with the titles of loads."""
    told = dict(summary["summary"])
    told["seconds_off"] = {
        titles.get(id_, id_): seconds for id_, seconds in told["seconds_off"].items()
    }
    told["off_at_the_end"] = [titles.get(id_, id_) for id_ in told["off_at_the_end"]]
    return told


def _word(value: Any) -> Any:
    """Return a value as JSON has it: words of enumerations are plain."""
    return str(value) if isinstance(value, str) else value

"""A meter that took the place of another one: where a total goes on. Pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from ..energy_counters import tolerance


@dataclass(frozen=True, slots=True)
class Handover:
    """End of the old meter's total and begin of the new one's, kWh.

    The new meter's total was `first` at `begin`, and Home Assistant has known it since
    `since`, s since 1970 both. `last` is the last of the old meter, and `before` is
    where that one took the place of another.
    """

    begin: float
    since: float
    last: float
    first: float
    before: Self | None = None

    def is_old_row(self, state: float, end: float) -> bool:
        """Return whether a state, kWh, of a row ending at `end` is the old meter's."""
        return self.since >= end or abs(state - self.last) <= tolerance(self.last)


@dataclass(frozen=True, slots=True)
class Replacement:
    """A meter in the place of another one since `time`, s since 1970.

    `seen` is when the old one was certainly there. `last` are its last totals, and
    `first` those of the new one at `begin`, kWh by channel id; `since` is when Home
    Assistant first read one. None, or missing, where not known yet. `before` is the
    replacement that brought the old one, where its rows are still looked at.
    """

    time: float
    seen: float = 0.0
    last: Mapping[str, float] = field(default_factory=dict)
    first: Mapping[str, float] = field(default_factory=dict)
    begin: float | None = None
    since: float | None = None
    before: Self | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the replacement stored by `as_dict`."""
        return cls(
            time=float(data["time"]),
            seen=float(data.get("seen", 0.0)),
            last=dict(data.get("last", {})),
            first=dict(data.get("first", {})),
            begin=data.get("begin"),
            since=data.get("since"),
            before=cls.from_dict(data["before"]) if data.get("before") else None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the replacement as JSON data."""
        return {
            "time": self.time,
            "seen": self.seen,
            "last": dict(self.last),
            "first": dict(self.first),
            "begin": self.begin,
            "since": self.since,
            "before": None if self.before is None else self.before.as_dict(),
        }

    def after(self, before: Self | None, since: float) -> Self:
        """Return the replacement with those before it since a time, s since 1970."""
        if before is None or before.time < since:
            return replace(self, before=None)
        return replace(self, before=before.after(before.before, since))

    def read_at(self, now: float) -> Self:
        """Return the replacement with the time of the new meter's first reading."""
        return replace(self, since=now)

    def with_first(self, begin: float | None, totals: Mapping[str, float]) -> Self:
        """Return the replacement with the new meter's first totals, kWh, at a time."""
        return replace(self, begin=begin, first={**totals, **self.first})

    def handover(self, channel: str) -> Handover | None:
        """Return where the total of a channel goes on.

        That of an earlier replacement, or None, while that of this one is not known.
        """
        before = None if self.before is None else self.before.handover(channel)
        if self.begin is None or channel not in self.first:
            return before
        return Handover(
            begin=self.begin,
            since=self.time if self.since is None else self.since,
            last=self.last.get(channel, 0.0),
            first=self.first[channel],
            before=before,
        )

"""Detection of a lost meter and of an outage of the grid."""

from ..frequency_guard.guard_state import GuardState
from .context import ArbiterSettings
from .house import HouseView


class GridMonitor:
    """Tells a short pause in the readings from a lost meter, and detects outages.

    State mutation rules: only `update` changes the times kept here.
    """

    def __init__(self, settings: ArbiterSettings) -> None:
        """Start with a meter in reach and a grid with voltage."""
        self._settings = settings
        self._now = 0.0
        self._gone_since: float | None = None
        self._invalid_since: float | None = None
        self._dead_since: float | None = None

    def update(self, view: HouseView, now: float) -> None:
        """Add the state of meter and grid at `now`, s."""
        self._now = now
        guard = view.guard
        invalid = guard is not None and guard.state is GuardState.INVALID
        dead = guard is not None and invalid and guard.dead
        self._gone_since = _since(self._gone_since, not view.meter_there, now)
        self._invalid_since = _since(self._invalid_since, invalid and not dead, now)
        self._dead_since = _since(self._dead_since, dead, now)

    @property
    def lost_since(self) -> float | None:
        """Return the time, s, at which the state of the grid became unknown, or None."""
        settings = self._settings
        ends = [
            since + after
            for since, after in (
                (self._gone_since, settings.lost_after),
                (self._invalid_since, settings.broken_after),
            )
            if since is not None and self._now >= since + after
        ]
        return min(ends) if ends else None

    @property
    def is_settled(self) -> bool:
        """Return whether the grid is known, or unknown for long enough to be lost."""
        return self.is_lost or (
            self._gone_since is None
            and self._invalid_since is None
            and self._dead_since is None
        )

    @property
    def is_lost(self) -> bool:
        """Return whether the state of the grid is unknown."""
        return self.lost_since is not None

    @property
    def is_outage(self) -> bool:
        """Return whether the voltage has been missing for longer than a short dip."""
        since = self._dead_since
        return since is not None and self._now - since >= self._settings.outage


def _since(before: float | None, holds: bool, now: float) -> float | None:
    """Return the start of a condition, `before` or `now`; None without the condition."""
    if not holds:
        return None
    return now if before is None else before

"""Since when the grid, or the meter itself, cannot be seen."""

from ..frequency_guard.guard_state import GuardState
from .context import ArbiterSettings
from .house import HouseView


class GridMonitor:
    """Tells a pause in the readings from a meter that is lost, and an outage."""

    def __init__(self, settings: ArbiterSettings) -> None:
        """Begin with everything in sight."""
        self._settings = settings
        self._now = 0.0
        self._gone_since: float | None = None
        self._invalid_since: float | None = None
        self._dead_since: float | None = None

    def update(self, view: HouseView, now: float) -> None:
        """Take what can be seen now."""
        self._now = now
        guard = view.guard
        invalid = guard is not None and guard.state is GuardState.INVALID
        dead = guard is not None and invalid and guard.dead
        self._gone_since = _since(self._gone_since, not view.meter_there, now)
        self._invalid_since = _since(self._invalid_since, invalid and not dead, now)
        self._dead_since = _since(self._dead_since, dead, now)

    @property
    def lost_since(self) -> float | None:
        """Return since when nothing is known of the grid, None where something is."""
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
    def is_lost(self) -> bool:
        """Return whether nothing is known of the grid."""
        return self.lost_since is not None

    @property
    def is_outage(self) -> bool:
        """Return whether there has been no voltage for long."""
        since = self._dead_since
        return since is not None and self._now - since >= self._settings.outage


def _since(before: float | None, holds: bool, now: float) -> float | None:
    """Return since when something holds, None where it does not."""
    if not holds:
        return None
    return now if before is None else before

"""What the arbiter remembers of one load."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from .decision import Activity, Decision, Reason

HOUR: Final = 3600.0

RESPONSE_TIMES: Final = (10.0, 30.0, 60.0)
"""Seconds a load has to obey, the first time, the second and the third."""

RETRY_INTERVAL: Final = 300.0
"""Seconds between further attempts, once it counts as disobeying."""


@dataclass(slots=True)
class Override:
    """What a person wants of a load, until when."""

    on: bool
    until: float


@dataclass(slots=True)
class LoadState:
    """One load: what is seen, what is asked, what was decided."""

    observed_on: bool | None = None
    """What it does, as far as is known."""
    requested_on: bool = False
    """What somebody or something wants of it, the arbiter apart."""
    target: bool | None = None
    """What the arbiter wants; None where it has no say."""
    changed_at: float | None = None
    """When it last went on or off."""
    to_restore: bool = False
    restore_at: float | None = None
    override: Override | None = None
    off_since: float | None = None
    """Since when the arbiter keeps it off."""
    comfort_until: float | None = None
    starts: deque[float] = field(default_factory=lambda: deque(maxlen=64))
    commanded_at: float | None = None
    """When it was last told to change, to what, and how often without effect."""
    commanded_on: bool | None = None
    attempts: int = 0
    last_decision: Decision | None = None
    reason: Reason = Reason.DEFAULT
    activity: Activity = Activity.IDLE
    shed_reason: Reason = Reason.UNDER_FREQUENCY
    """Why it was taken off last."""
    requested_by_automation: bool = False
    is_recalled: bool = False
    """Whether what is asked of it is remembered from before a restart."""

    @property
    def is_on(self) -> bool:
        """Return whether it is on, as far as is known."""
        return bool(self.observed_on)

    @property
    def is_unresponsive(self) -> bool:
        """Return whether it was told often enough."""
        return self.attempts > len(RESPONSE_TIMES)

    def has_lasted(self, minimum: float, now: float) -> bool:
        """Return whether it has been on, or off, for as long as it must."""
        return self.changed_at is None or now - self.changed_at >= minimum

    def may_go_on(self, minimum_off: float, starts_per_hour: int, now: float) -> bool:
        """Return whether its minimum time off is over, and it was not started too often."""
        if not self.has_lasted(minimum_off, now):
            return False
        return sum(now - start < HOUR for start in self.starts) < starts_per_hour

    def record_observation(self, on: bool | None, now: float) -> None:
        """Take what it does now; None where that is not known."""
        if on is not None and on is not self.observed_on:
            if self.observed_on is not None:
                self.changed_at = now
                if on:
                    self.starts.append(now)
            self.observed_on = on

    def record_switch(self, on: bool, now: float) -> None:
        """Take that it went on or off just now, though it may not have been seen."""
        self.observed_on = on
        self.changed_at = now
        if on:
            self.starts.append(now)

    def clear_other_command(self, on: bool | None) -> None:
        """Forget what it was told before, where it is to do something else now."""
        if on is None or on is not self.commanded_on:
            self.commanded_at = self.commanded_on = None
            self.attempts = 0

    def needs_command(self, on: bool, now: float) -> bool:
        """Return whether it has to be told, the first time or again.

        What has never been seen, as after a start, is not there to be told.
        """
        if self.observed_on is None or self.observed_on is on:
            self.attempts = 0
            self.commanded_at = None
            return False
        if self.commanded_at is None:
            return True
        wait = (
            RESPONSE_TIMES[self.attempts - 1]
            if not self.is_unresponsive
            else RETRY_INTERVAL
        )
        return now - self.commanded_at >= wait

    def record_command(self, on: bool, now: float) -> None:
        """Note that it is told to change now."""
        self.commanded_at, self.commanded_on = now, on
        self.attempts = min(self.attempts + 1, len(RESPONSE_TIMES) + 1)

"""What the arbiter remembers of one load."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from .decision import Activity, Decision, Reason

HOUR: Final = 3600.0

OBEY_TIMES: Final = (10.0, 30.0, 60.0)
"""Seconds a load has to obey, the first time, the second and the third."""

INSIST_EVERY: Final = 300.0
"""Seconds between further attempts, once it counts as disobeying."""


@dataclass(slots=True)
class Override:
    """What a person wants of a load, until when."""

    on: bool
    until: float


@dataclass(slots=True)
class LoadState:
    """One load: what is seen, what is asked, what was decided."""

    seen_on: bool | None = None
    """What it does, as far as is known."""
    asked: bool = False
    """What somebody or something wants of it, the arbiter apart."""
    target: bool | None = None
    """What the arbiter wants; None where it has no say."""
    changed: float | None = None
    """When it last went on or off."""
    to_restore: bool = False
    restore_at: float | None = None
    override: Override | None = None
    off_since: float | None = None
    """Since when the arbiter keeps it off."""
    comfort_until: float | None = None
    starts: deque[float] = field(default_factory=lambda: deque(maxlen=64))
    told: float | None = None
    """When it was last told to change, to what, and how often without effect."""
    told_on: bool | None = None
    tries: int = 0
    last: Decision | None = None
    reason: Reason = Reason.DEFAULT
    activity: Activity = Activity.IDLE
    shed_for: Reason = Reason.UNDER_FREQUENCY
    """Why it was taken off last."""
    asked_by_automation: bool = False
    recalled: bool = False
    """Whether what is asked of it is remembered from before a restart."""

    @property
    def is_on(self) -> bool:
        """Return whether it is on, as far as is known."""
        return bool(self.seen_on)

    @property
    def disobeys(self) -> bool:
        """Return whether it was told often enough."""
        return self.tries > len(OBEY_TIMES)

    def has_lasted(self, minimum: float, now: float) -> bool:
        """Return whether it has been on, or off, for as long as it must."""
        return self.changed is None or now - self.changed >= minimum

    def may_go_on(self, minimum_off: float, starts_per_hour: int, now: float) -> bool:
        """Return whether its minimum time off is over, and it was not started too often."""
        if not self.has_lasted(minimum_off, now):
            return False
        return sum(now - start < HOUR for start in self.starts) < starts_per_hour

    def see(self, on: bool | None, now: float) -> None:
        """Take what it does now; None where that is not known."""
        if on is not None and on is not self.seen_on:
            if self.seen_on is not None:
                self.changed = now
                if on:
                    self.starts.append(now)
            self.seen_on = on

    def was_switched(self, on: bool, now: float) -> None:
        """Take that it went on or off just now, though it may not have been seen."""
        self.seen_on = on
        self.changed = now
        if on:
            self.starts.append(now)

    def intend(self, on: bool | None) -> None:
        """Forget what it was told before, where it is to do something else now."""
        if on is None or on is not self.told_on:
            self.told = self.told_on = None
            self.tries = 0

    def must_be_told(self, on: bool, now: float) -> bool:
        """Return whether it has to be told, the first time or again.

        What has never been seen, as after a start, is not there to be told.
        """
        if self.seen_on is None or self.seen_on is on:
            self.tries = 0
            self.told = None
            return False
        if self.told is None:
            return True
        wait = OBEY_TIMES[self.tries - 1] if not self.disobeys else INSIST_EVERY
        return now - self.told >= wait

    def tell(self, on: bool, now: float) -> None:
        """Note that it is told to change now."""
        self.told, self.told_on = now, on
        self.tries = min(self.tries + 1, len(OBEY_TIMES) + 1)

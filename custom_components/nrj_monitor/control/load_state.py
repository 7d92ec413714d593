"""State of one load in the arbiter."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .decision import Activity, Decision, Reason

HOUR: Final = 3600.0

RESPONSE_TIMES: Final = (10.0, 30.0, 60.0)
"""Seconds that a load has to follow its first, second and third command."""

_LASTING: Final = frozenset({Activity.IDLE, Activity.RUNNING})
"""Activities that no timer of the arbiter ends."""

RETRY_INTERVAL: Final = 300.0
"""Seconds between further commands to a load that counts as unresponsive."""


@dataclass(slots=True)
class Override:
    """State of a load demanded by a person, and the end of the demand, s."""

    on: bool
    until: float


@dataclass(slots=True)
class LoadState:
    """State of a load: observed, requested and decided.

    State mutation rules: properties and the methods `has_lasted`, `may_go_on` and
    `needs_command` only read. The arbiter alone calls `record_…`, `confirm_command` and
    `clear_other_command`; `ReasonRules.advance` moves the timers (`override`,
    `off_since`, `comfort_until`), `ReasonRules.record` the wait for a restore
    (`to_restore`, `restore_at`, `shed_reason`), and `RestorePlan` sets `restore_at`.
    """

    observed_on: bool | None = None
    """Whether the load is on; None while unknown."""
    requested_on: bool = False
    """Whether a person or an automation wants the load on, the arbiter apart."""
    target: bool | None = None
    """State that the arbiter wants; None where the arbiter has no say."""
    changed_at: float | None = None
    """Time of the last change between on and off, s."""
    to_restore: bool = False
    """Whether the load is off for the arbiter's sake and waits to come back."""
    restore_at: float | None = None
    override: Override | None = None
    off_since: float | None = None
    """Time since which the arbiter keeps the load off, s."""
    comfort_until: float | None = None
    starts: deque[float] = field(default_factory=lambda: deque(maxlen=64))
    commanded_at: float | None = None
    """Time of the last command that the load has not followed yet, s."""
    commanded_on: bool | None = None
    attempts: int = 0
    """Number of commands without effect."""
    is_limited: bool = False
    """Whether the load was set to less than a person wants, and is to be set back."""
    last_decision: Decision | None = None
    reason: Reason = Reason.DEFAULT
    activity: Activity = Activity.IDLE
    shed_reason: Reason = Reason.UNDER_FREQUENCY
    """Reason for which the load was shed last; the grid's is kept over an overload."""
    only_overload: bool = False
    """Whether overloads alone keep the load off: no other house returns with it."""
    requested_by_automation: bool = False
    is_recalled: bool = False
    """Whether `requested_on` comes from storage, from before a restart."""

    @property
    def is_on(self) -> bool:
        """Return whether the load is on; False while unknown."""
        return bool(self.observed_on)

    @property
    def is_unresponsive(self) -> bool:
        """Return whether the load ignored the last command of `RESPONSE_TIMES` too."""
        return self.attempts > len(RESPONSE_TIMES)

    @property
    def is_settled(self) -> bool:
        """Return whether nothing of the load waits for time to pass."""
        return (
            self.activity in _LASTING
            and self.override is None
            and not self.to_restore
            and self.commanded_at is None
            and self.comfort_until is None
        )

    def has_lasted(self, minimum: float, now: float) -> bool:
        """Return whether the load has been on, or off, for at least `minimum` s."""
        return self.changed_at is None or now - self.changed_at >= minimum

    def may_go_on(self, minimum_off: float, starts_per_hour: int, now: float) -> bool:
        """Return whether minimum time off and number of starts permit a start."""
        if not self.has_lasted(minimum_off, now):
            return False
        return sum(now - start < HOUR for start in self.starts) < starts_per_hour

    def needs_command(self, on: bool, now: float) -> bool:
        """Return whether a command to go `on` is due, the first or a repeated one.

        A load that was never observed, as after a start, cannot be commanded.
        """
        if self.observed_on is None or self.observed_on is on:
            return False
        if self.commanded_at is None:
            return True
        wait = (
            RETRY_INTERVAL
            if self.is_unresponsive
            else RESPONSE_TIMES[self.attempts - 1]
        )
        return now - self.commanded_at >= wait

    def record_observation(self, on: bool | None, now: float) -> None:
        """Record the state of the load at `now`; None leaves the last known state."""
        if on is not None and on is not self.observed_on:
            if self.observed_on is not None:
                self.changed_at = now
                if on:
                    self.starts.append(now)
            self.observed_on = on

    def record_switch(self, on: bool, now: float) -> None:
        """Record a switching just now, even of a load never observed."""
        self.observed_on = on
        self.changed_at = now
        if on:
            self.starts.append(now)

    def record_command(self, on: bool, now: float) -> None:
        """Record a command to go `on`, sent at `now`."""
        self.commanded_at, self.commanded_on = now, on
        self.attempts = min(self.attempts + 1, len(RESPONSE_TIMES) + 1)

    def clear_other_command(self, on: bool | None) -> None:
        """Drop the last command unless its state was `on` as well."""
        if on is None or on is not self.commanded_on:
            self.commanded_at = self.commanded_on = None
            self.attempts = 0

    def confirm_command(self, on: bool) -> None:
        """Close the last command where the load is `on`, or was never observed."""
        if self.observed_on is None or self.observed_on is on:
            self.attempts = 0
            self.commanded_at = None

    # The stored keys are older than the names of the fields, and stay.

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return the lasting part of the state, as JSON can store the part."""
        return {
            "asked": self.requested_on,
            "to_restore": self.to_restore or self.target is False,
            "override": None
            if self.override is None
            else [self.override.on, self.override.until - now],
            "mine": bool(self.target),
            "limited": self.is_limited,
        }

    def update_from_dict(self, stored: Mapping[str, Any], now: float) -> None:
        """Take over the result of `as_dict` from before a restart."""
        is_asked, is_mine = bool(stored["asked"]), bool(stored["mine"])
        self.to_restore = bool(stored["to_restore"]) and is_asked
        self.requested_on = is_asked
        # A load that the arbiter had started must earn its start again, or is released.
        self.target = True if is_mine else None
        self.is_recalled = self.to_restore or is_mine
        self.is_limited = bool(stored.get("limited", False))
        if stored["override"] is not None:
            on, left = stored["override"]
            self.override = Override(on, now + left)
            self.is_recalled = True

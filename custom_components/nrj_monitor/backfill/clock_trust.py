"""Trust in the system's clock, which may be wrong at boot and set later: pure rules.

A small computer without a battery clock begins where it was switched off, or in 1970, and
is set once it has a network. The meter takes its time from there: both are wrong together.
Two things never go wrong with it: a clock that only goes forward, and the meter's uptime.
"""

from typing import Final

STEP_TOLERANCE: Final = 1.0
"""Difference from the monotonic clock between two looks that counts as a step, s."""

AGREEMENT: Final = 120.0
"""Largest difference from the known time of a meter's start that is no error, s: the
delay of a page, and the drift of a meter's quartz within weeks."""

FIRST_DAY: Final = 1767225600.0
"""Start of 2026, s since 1970: an earlier clock is wrong."""

BOOT_SETTLES = 600.0
"""Time from Home Assistant's start until the system's clock has probably been set, s."""

STEP_SETTLES: Final = 120.0
"""Seconds after a step until the clock will probably not be set again."""

DISPUTE_SETTLES: Final = 3600.0
"""Seconds without a step after which the clock is right, whatever speaks against it."""

FIRM: Final = 24 * 3600.0
"""Seconds without a step after which nobody will set the clock that far any more."""


class ClockTrust:
    """Judges the system's clock by its steps and by the meter's uptime.

    Times of the clock are in seconds since 1970; `monotonic` is a clock that only goes
    forward, s, and stands still while the machine is suspended.
    `period_begin` is the clock's time when it was last set, or when the watch began.
    """

    def __init__(self, now: float, monotonic: float, not_before: float = 0.0) -> None:
        """Begin to watch; `not_before` is a time that has been before."""
        self._offset = now - monotonic
        self._suspended = 0.0
        self._watched_since = monotonic
        self._last_step: float | None = None
        self._pending = 0.0
        self._not_before = not_before
        self._is_disputed = False
        self._is_agreed = False
        self.period_begin = now

    def look(self, now: float, monotonic: float) -> None:
        """Notice a step of the clock; the next page tells what it was."""
        step = now - monotonic - self._offset
        self._offset += step
        if abs(step) > STEP_TOLERANCE or self._pending:
            self._pending += step
        if abs(self._pending) <= STEP_TOLERANCE:
            self._pending = 0.0

    def judge(
        self, error: float | None, now: float, monotonic: float, *, is_firm: bool
    ) -> float | None:
        """Judge the clock by a page; return a step to date anew by, s, or None.

        `error` is by how much the clock has the meter's start later than it is known,
        None for a start that is new; `is_firm` whether it was known for certain. A
        suspended machine sees a step forward, as the meter does.
        """
        self.look(now, monotonic)
        step, self._pending = self._pending, 0.0
        is_set = bool(step) and (
            self.is_disputed(now - step)
            or (step < 0.0 if error is None else abs(error - step) < abs(error))
        )
        if not is_set:
            self._suspended += step
        else:
            self._last_step = monotonic + self._suspended
            self._is_agreed = self._is_disputed = False
        if error is not None and is_firm:
            self._is_disputed = abs(error) > AGREEMENT
            self._is_agreed = not self._is_disputed
        return step if is_set else None

    def begin_period(self, now: float) -> float:
        """Begin a new period of a clock that is taken as right; return the last begin."""
        before, self.period_begin = self.period_begin, now
        self._not_before = min(self._not_before, now)
        return before

    def end_dispute(self) -> None:
        """Take the clock as right, whatever speaks against it."""
        self._is_disputed = False

    def is_disputed(self, now: float) -> bool:
        """Return whether something speaks against the clock."""
        return self._is_disputed or now < self._not_before - AGREEMENT

    def has_outlasted(self, now: float, monotonic: float) -> bool:
        """Return whether a disputed clock has gone on so long that it is right."""
        return (
            now >= FIRST_DAY
            and not self._pending
            and self._steady(monotonic) >= DISPUTE_SETTLES
        )

    def _steady(self, monotonic: float) -> float:
        """Return for how long the clock has not been set, as far as is known, s."""
        since = self._watched_since if self._last_step is None else self._last_step
        return monotonic + self._suspended - since

    def is_trusted(self, now: float, monotonic: float) -> bool:
        """Return whether to write and to acknowledge by the clock."""
        if now < FIRST_DAY or self._pending or self.is_disputed(now):
            return False
        if self._is_agreed:
            return True
        settled = BOOT_SETTLES if self._last_step is None else STEP_SETTLES
        return self._steady(monotonic) >= settled

    def is_firm(self, now: float, monotonic: float) -> bool:
        """Return whether what the clock has dated will not be dated anew."""
        return self.is_trusted(now, monotonic) and (
            self._is_agreed or self._steady(monotonic) >= FIRM
        )

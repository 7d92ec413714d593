"""Throttle: when a stream of readings becomes a state, and with which value.

The rule, without a clock of its own. What is kept is what statistics are made of:
each minute's mean, minimum and maximum. The mean that Home Assistant computes is that
of the states weighted by how long each stood, so it is the area below them that has to
agree with the area below the readings.
"""

from .catalog import SignificantChange

MIN_INTERVAL = 1.0
"""Seconds between two writes of one state: the recorder's finest useful grain."""

MAX_INTERVAL = 59.0
"""Seconds after which a state is due again, changed or not: a minute has some slack."""

MINUTE = 60.0

AREA_LIMIT = 5.0
"""Seconds times the step by which the area below the states may be off."""

CORRECTION_TIME = 1.0
"""Seconds within which a write aims to make up for the area that is missing: until the
next one, while a signal moves."""

CORRECTION_LIMIT = 5.0
"""Seconds times the range of the readings that are made up for at most."""


class CounterThrottle:
    """Decides when the state of a counter is written; the value is always the latest.

    A significant change is written as soon as `MIN_INTERVAL` allows, anything else
    once per `MAX_INTERVAL`. Times are seconds of any one monotonic clock.
    """

    __slots__ = ("_change", "_latest", "_step", "_written", "_written_at")

    def __init__(self, change: SignificantChange, scale: float = 1.0) -> None:
        """Start with nothing written; `scale` multiplies the step of `change`."""
        self._change = SignificantChange(
            change.absolute * scale, change.relative * scale
        )
        self._step = self._change.absolute
        self._latest: float | None = None
        self._written: float | None = None
        self._written_at: float | None = None

    def update(self, value: float | None, now: float) -> float:
        """Add a reading; return when to write the state, `now` or later."""
        self._latest = value
        return self.due(now)

    def due(self, now: float) -> float:
        """Return when to write the state, `now` or later, without another reading."""
        if self._written_at is None:
            return now
        interval = MIN_INTERVAL if self._is_significant() else MAX_INTERVAL
        due = self._written_at + interval
        return max(now, due)

    def write(self, now: float) -> float | None:
        """Return the value to write `now`, stored as written."""
        self._written = self._latest
        self._written_at = now
        return self._written

    def reset(self) -> None:
        """Make the next value due at once, whatever was written before."""
        self._written = None
        self._written_at = None

    def _is_significant(self) -> bool:
        """Return whether the latest value differs significantly from the state."""
        written, latest = self._written, self._latest
        if written is None or latest is None:
            return written is not latest
        return abs(latest - written) >= self._step


class MeasurementThrottle(CounterThrottle):
    """Decides when the state of a measurement is written, and with which value.

    Written as soon as `MIN_INTERVAL` allows are a value that is a step away from the
    state, an extreme of this minute that no state shows, and a value that makes up for
    an area that has drifted off. A value lies among the readings since the write
    before, unless it is an extreme of the minute. What a jump within the second leaves
    out of the area stays out: making up for it would show values that never were.
    """

    __slots__ = (
        "_area",
        "_high",
        "_low",
        "_minute",
        "_offset",
        "_shown_high",
        "_shown_low",
        "_updated_at",
        "_window_high",
        "_window_low",
    )

    def __init__(
        self, change: SignificantChange, scale: float = 1.0, offset: float = 0.0
    ) -> None:
        """Start with nothing written; minutes begin at multiples of 60 s - `offset`."""
        super().__init__(change, scale)
        self._offset = offset
        self._area = 0.0
        self._updated_at = 0.0
        self._minute = 0.0
        self._high = self._low = 0.0
        self._shown_high = self._shown_low = 0.0
        self._window_high = self._window_low = 0.0

    def update(self, value: float | None, now: float) -> float:
        """Add a reading; return when to write the state, `now` or later."""
        written, latest = self._written, self._latest
        self._latest = value
        if written is not None and value is not None:
            if latest is not None:
                self._area += (latest - written) * (now - self._updated_at)
            self._extend_ranges(value, written, now)
        self._updated_at = now
        return self.due(now)

    def _extend_ranges(self, value: float, written: float, now: float) -> None:
        """Extend the ranges of the minute and of the readings since the last write."""
        if value > self._window_high:
            self._window_high = value
        elif value < self._window_low:
            self._window_low = value
        if (minute := (now + self._offset) // MINUTE) != self._minute:
            self._begin_minute(minute, written, value)
        elif value > self._high:
            self._high = value
        elif value < self._low:
            self._low = value

    def write(self, now: float) -> float | None:
        """Return the value to write `now`, stored as written."""
        written, latest = self._written, self._latest
        self._written_at = now
        if latest is None or written is None:
            # Nothing to compare with: a new beginning.
            self._begin(latest, now)
            return latest
        self._area += (latest - written) * (now - self._updated_at)
        self._updated_at = now
        minute = (now + self._offset) // MINUTE
        if minute != self._minute:
            self._begin_minute(minute, written, latest)
        value = self._extreme_to_show(latest)
        if value is None:
            low = max(self._low, self._window_low)
            high = min(self._high, self._window_high)
            value = max(low, min(high, latest + self._area / CORRECTION_TIME))
        moved = self._window_high - self._window_low
        # A quiet signal is shown as it is, and what was missed is let go.
        bound = 0.0 if moved < self._step else CORRECTION_LIMIT * moved
        self._area = max(-bound, min(bound, self._area))
        self._window_high = self._window_low = latest
        self._show(value)
        return value

    def reset(self) -> None:
        """Make the next value due at once, whatever was written before."""
        super().reset()
        self._area = 0.0

    def _is_significant(self) -> bool:
        """Return whether value, extremes or area of the states differ significantly."""
        written, latest = self._written, self._latest
        if written is None or latest is None:
            return written is not latest
        step = self._step
        deviation = latest - written
        return (
            deviation >= step
            or deviation <= -step
            or self._high - self._shown_high >= step
            or self._shown_low - self._low >= step
            or (abs(self._area) >= AREA_LIMIT * step and deviation * self._area > 0)
        )

    def _extreme_to_show(self, latest: float) -> float | None:
        """Return a passed extreme of the minute without a state, or None."""
        above = self._high - max(self._shown_high, latest)
        below = min(self._shown_low, latest) - self._low
        if max(above, below) < self._step:
            return None
        return self._high if above >= below else self._low

    def _begin(self, value: float | None, now: float) -> None:
        """Start again with a value, None for no valid measurement."""
        self._area = 0.0
        self._updated_at = now
        self._minute = (now + self._offset) // MINUTE
        self._written = value
        if value is not None:
            self._high = self._low = self._shown_high = self._shown_low = value
            self._window_high = self._window_low = value
            self._step = self._change.step(value)

    def _begin_minute(self, minute: float, written: float, value: float) -> None:
        """Start a minute; an extreme not yet written belongs to the new minute."""
        step = self._step
        if self._high - self._shown_high < step:
            self._high = value
        if self._shown_low - self._low < step:
            self._low = value
        self._high, self._low = max(self._high, value), min(self._low, value)
        self._shown_high = self._shown_low = written
        self._minute = minute

    def _show(self, value: float) -> None:
        """Store `value` as written."""
        self._written = value
        self._shown_high = max(self._shown_high, value)
        self._shown_low = min(self._shown_low, value)
        self._step = self._change.step(value)

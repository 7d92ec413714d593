"""The state machine over the frequency, for sources whose device has no guard.

The twin of the firmware's `frequency_guard/guard.cpp`: the same samples give the
same states at the same times.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from math import nan
from typing import Final

from .frequency_check import (
    CheckedFrequency,
    FrequencyCheck,
    FrequencyLimits,
    GridSample,
    Trust,
)
from .guard_profile import PROFILES, GuardProfile
from .guard_state import OVER, UNDER, GuardReason, GuardState

CONFIRMING_SAMPLES: Final = 2
"""A single sample may be wrong, whatever it says."""

RATE_WINDOW_MS: Final = 500
RATE_STEP_MS: Final = 100
"""RoCoF is taken over 500 ms, as withstand capabilities are stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """How the guard decides.

    `spread` (Hz, 0 to 0.02) is this device's: its thresholds are that much further
    out. `rate_of_change` (Hz/s downwards, 0 = not watched) means shed_1. Times are
    in ms: without absorbing after the last moment of a shed, without voltage until
    it is an outage, of valid frequency until it is believed again, and the same
    after a start.
    """

    profile: GuardProfile = PROFILES["continental_europe"]
    limits: FrequencyLimits = field(default_factory=FrequencyLimits)
    spread: float = 0.0
    rate_of_change: float = 0.0
    absorb_lockout_ms: int = 15 * 60 * 1000
    outage_ms: int = 60 * 1000
    settle_ms: int = 1000
    start_ms: int = 10 * 1000


class _Timer:
    """Duration of a condition."""

    __slots__ = ("samples", "since_ms")

    def __init__(self) -> None:
        self.samples = 0
        self.since_ms = 0

    def feed(self, holds: bool, now_ms: int) -> None:
        """Note whether the condition holds now."""
        if not holds:
            self.samples = 0
            return
        if self.samples == 0:
            self.since_ms = now_ms
        self.samples += 1

    def has_lasted(self, delay_ms: int, now_ms: int) -> bool:
        """Return whether the condition has held for `delay_ms`, in two samples at least."""
        return self.samples >= CONFIRMING_SAMPLES and now_ms - self.since_ms >= delay_ms


class FrequencyGuard:
    """Feed every sample to `sample`, and call `tick` in between."""

    def __init__(
        self,
        settings: GuardSettings,
        kept: GuardState = GuardState.NORMAL,
        now_ms: int = 0,
    ) -> None:
        """Take up the state `kept` before a restart; `now_ms` is the start."""
        self._settings = settings
        self._check = FrequencyCheck(settings.limits, settings.profile.nominal)
        # Nothing is absorbed on the word of a state from before the start.
        self._valid_state = kept if kept in UNDER else GuardState.NORMAL
        self._reason = GuardReason.START
        self._valid = False
        self._changes = 0
        self._last = CheckedFrequency(Trust.INVALID, nan)
        self._last_sample_ms = now_ms
        self._usable_since_ms: int | None = None
        self._wanted_settle_ms = settings.start_ms
        self._dead_since_ms: int | None = None
        self._outage = False
        self._absorb_locked_until_ms = now_ms
        if kept.under_depth >= GuardState.SHED_1.under_depth:
            self._absorb_locked_until_ms = now_ms + settings.absorb_lockout_ms
        self._reset_timers()

    @property
    def state(self) -> GuardState:
        """Return the state now."""
        return self._valid_state if self._valid else GuardState.INVALID

    @property
    def reason(self) -> GuardReason:
        """Return the reason for the state."""
        return self._reason

    @property
    def held_state(self) -> GuardState:
        """Return the last state with a valid frequency."""
        return self._valid_state

    @property
    def changes(self) -> int:
        """Return how often `state` or `reason` has changed."""
        return self._changes

    @property
    def frequency(self) -> float:
        """Return the last frequency believed, Hz; NaN while invalid."""
        return self._last.hertz if self._last.trust is not Trust.INVALID else nan

    @property
    def may_restore(self) -> bool:
        """Return whether loads may come back."""
        return self._valid and self._recovered

    @property
    def had_outage(self) -> bool:
        """Return whether there was no voltage for long, until `clear_outage`."""
        return self._outage

    def clear_outage(self) -> None:
        """Clear the outage."""
        self._outage = False

    def is_absorbing_locked(self, now_ms: int) -> bool:
        """Return whether absorbing is locked out."""
        return now_ms < self._absorb_locked_until_ms

    def set_profile(self, profile: GuardProfile) -> None:
        """Replace the thresholds; the state stays until the new thresholds change it."""
        self._settings = replace(self._settings, profile=profile)
        self._check = FrequencyCheck(self._settings.limits, profile.nominal)
        self._reset_timers()

    def sample(self, sample: GridSample) -> None:
        """Add a sample; times must not go back, ticks included."""
        now_ms = sample.time_ms
        self._check_silence(now_ms)
        self._last_sample_ms = now_ms
        checked = self._check.check(sample)
        if checked.trust is Trust.INVALID:
            self._set_invalid(checked.reason, now_ms)
        else:
            self._dead_since_ms = None
            if self._usable_since_ms is None:
                self._usable_since_ms = now_ms
            self._feed_timers(checked.hertz, now_ms)
            if checked.trust is Trust.BELIEVED:
                self._feed_rate(checked.hertz, now_ms)
            # What is not believed does not replace what was, but holds back
            # every decision.
            if checked.trust is Trust.BELIEVED or self._last.trust is Trust.INVALID:
                self._last = checked
            else:
                self._last = CheckedFrequency(Trust.SUSPECT, self._last.hertz)
        self._decide(now_ms)

    def tick(self, now_ms: int) -> None:
        """Advance the time without a sample."""
        self._check_silence(now_ms)
        self._decide(now_ms)

    def _check_silence(self, now_ms: int) -> None:
        if now_ms - self._last_sample_ms > self._settings.limits.silence_ms:
            self._set_invalid(GuardReason.SILENT, now_ms)

    def _reset_timers(self) -> None:
        self._recovered = False
        self._below = tuple(_Timer() for _ in UNDER)
        self._above = tuple(_Timer() for _ in OVER)
        self._restoring = _Timer()
        self._uninhibiting = _Timer()
        self._releasing = _Timer()
        self._rates: deque[tuple[int, float]] = deque(maxlen=6)
        self._falling = False

    def _set_invalid(self, reason: GuardReason, now_ms: int) -> None:
        if reason is not GuardReason.NO_VOLTAGE:
            self._dead_since_ms = None
        elif self._dead_since_ms is None:
            self._dead_since_ms = now_ms
        self._last = CheckedFrequency(Trust.INVALID, nan)
        self._check.reset()
        self._usable_since_ms = None
        self._reset_timers()
        if not self._valid and self._reason is reason:
            return
        if self._valid:
            self._wanted_settle_ms = self._settings.settle_ms
        self._valid = False
        self._reason = reason
        self._changes += 1

    def _feed_timers(self, hertz: float, now_ms: int) -> None:
        profile, spread = self._settings.profile, self._settings.spread
        for timer, threshold in zip(self._below, profile.under, strict=True):
            timer.feed(hertz < threshold.hertz - spread, now_ms)
        for timer, threshold in zip(self._above, profile.over, strict=True):
            timer.feed(hertz >= threshold.hertz + spread, now_ms)
        restore = profile.restore.hertz
        self._restoring.feed(hertz >= restore, now_ms)
        inhibit = profile.under[0].hertz - spread
        self._uninhibiting.feed(hertz >= max(restore, inhibit), now_ms)
        self._releasing.feed(hertz <= profile.release.hertz, now_ms)
        if self._restoring.samples == 0:
            self._recovered = False

    def _feed_rate(self, hertz: float, now_ms: int) -> None:
        if self._settings.rate_of_change <= 0:
            return
        if not self._rates or now_ms - self._rates[-1][0] >= RATE_STEP_MS:
            self._rates.append((now_ms, hertz))
        since_ms, before = self._rates[0]
        span_ms = now_ms - since_ms
        self._falling = (
            span_ms >= RATE_WINDOW_MS
            and (before - hertz) * 1000.0 / span_ms > self._settings.rate_of_change
        )

    def _low(self, now_ms: int) -> GuardState | None:
        """Return the deepest stage whose time has come."""
        stages = zip(UNDER, self._below, self._settings.profile.under, strict=True)
        for state, timer, threshold in reversed(list(stages)):
            if timer.has_lasted(threshold.delay_ms, now_ms):
                return state
        return None

    def _high(self, now_ms: int) -> GuardState | None:
        stages = zip(OVER, self._above, self._settings.profile.over, strict=True)
        for state, timer, threshold in reversed(list(stages)):
            if timer.has_lasted(threshold.delay_ms, now_ms):
                return state
        return None

    def _decide(self, now_ms: int) -> None:
        settings = self._settings
        if (
            self._dead_since_ms is not None
            and now_ms - self._dead_since_ms >= settings.outage_ms
        ):
            self._outage = True
        shed_1 = GuardState.SHED_1.under_depth
        if self._valid_state.under_depth >= shed_1:
            self._absorb_locked_until_ms = now_ms + settings.absorb_lockout_ms
        if self._last.trust is not Trust.BELIEVED:
            return

        # An emergency waits for nothing.
        low = self._low(now_ms)
        if low is not None and low.under_depth > self._valid_state.under_depth:
            self._enter(low, GuardReason.UNDER_FREQUENCY)
            return
        if self._falling and self._valid_state.under_depth < shed_1:
            self._enter(GuardState.SHED_1, GuardReason.RATE_OF_CHANGE)
            return
        if not self._valid:
            since_ms = self._usable_since_ms
            if since_ms is None or now_ms - since_ms < self._wanted_settle_ms:
                return
            self._enter(self._valid_state, GuardReason.VALID_AGAIN)
        self._decide_while_valid(now_ms)

    def _decide_while_valid(self, now_ms: int) -> None:
        """Decide on restore, absorb and release, while the frequency is valid."""
        profile = self._settings.profile
        restore_ms = profile.restore.delay_ms
        if self._restoring.has_lasted(restore_ms, now_ms):
            self._recovered = True
        if self._valid_state.under_depth > 0:
            if self._uninhibiting.has_lasted(restore_ms, now_ms):
                self._enter(GuardState.NORMAL, GuardReason.RECOVERED)
            elif self._recovered and self._valid_state is not GuardState.INHIBIT:
                # Where the restore threshold lies below that of the inhibition.
                self._enter(GuardState.INHIBIT, GuardReason.RECOVERED)
            return
        over_depth = self._valid_state.over_depth
        if over_depth > 0 and self._releasing.has_lasted(
            profile.release.delay_ms, now_ms
        ):
            self._enter(GuardState.NORMAL, GuardReason.RELEASED)
            return
        high = self._high(now_ms)
        if (
            high is not None
            and high.over_depth > over_depth
            and not self.is_absorbing_locked(now_ms)
        ):
            self._enter(high, GuardReason.OVER_FREQUENCY)

    def _enter(self, state: GuardState, reason: GuardReason) -> None:
        self._valid = True
        self._valid_state = state
        self._reason = reason
        self._changes += 1

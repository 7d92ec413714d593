"""Which loads go off because a phase or the contract is overloaded.

As few as relieve it, then a wait for what that does. Where nothing shows, twice, no
more is shed: it would only walk the house dark.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from .load import Load
from .overload import OverloadMonitor

SHOWN: Final = 0.3
"""The part of what was taken off that must show."""

FAILURES: Final = 2
"""Attempts without effect after which there are no more."""

EFFECT_TIME: Final = 10.0
"""Seconds within which a shed must show: a relay, and a meter that tells each second."""

PAUSE: Final = 900.0
LONGEST_PAUSE: Final = 14_400.0
"""Seconds without a further attempt; twice as long each time, up to the second."""

RETURN_AFTER: Final = 60.0
RETURN_MARGIN: Final = 1.1
"""A load comes back where there has been room for that much more than it, that long."""

type PowerOf = Callable[[Load], float]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What was taken off of which limit, and what was drawn before, W."""

    limit: str | None
    loads: tuple[str, ...]
    before: float
    expected: float
    time: float


class OverloadShedding:
    """Relieves limits, by phase; None is the whole supply."""

    def __init__(self, monitors: Mapping[str | None, OverloadMonitor]) -> None:
        """Begin with nothing off."""
        self._monitors = monitors
        self.off: dict[str, float] = {}
        """Loads that are to be off, and what they would draw, W."""
        self._attempt: _Attempt | None = None
        self._failures: list[str] = []
        self._failed = 0
        self._futile_until: float | None = None
        self._pause = PAUSE
        self._headroom_since: dict[str, float] = {}

    @property
    def is_futile(self) -> bool:
        """Return whether shedding was given up for now."""
        return self._futile_until is not None

    def update(
        self,
        powers: Mapping[str | None, float | None],
        candidates: Iterable[Load],
        power_of: PowerOf,
        now: float,
    ) -> str | None:
        """Take what is drawn; return the limit on which shedding was given up just now.

        `candidates` are the loads that draw something and may be shed, the least
        important first. A limit is returned as its phase, "" being the whole supply.
        """
        for limit, monitor in self._monitors.items():
            monitor.update(powers.get(limit), now)
        if self._futile_until is not None and now >= self._futile_until:
            self._futile_until = None
        if all(
            monitor.is_calm and not monitor.must_shed
            for monitor in self._monitors.values()
        ):
            self._pause = PAUSE
        given_up = self._check_effect(powers, now)
        if self._attempt is None and self._futile_until is None:
            lacking = self._shed(powers, list(candidates), power_of, now)
            if lacking is not None and self._failed:
                given_up = self._give_up(lacking, now)
        return given_up

    def may_return(self, load: Load, now: float) -> bool:
        """Return whether a load may come back as far as the limits go."""
        wanted = self.off.get(load.id, load.nominal_power) * RETURN_MARGIN
        room = all(
            monitor.is_calm and monitor.headroom >= wanted * load.share_of(limit)
            for limit, monitor in self._monitors.items()
            if load.share_of(limit) > 0
        )
        if not room:
            self._headroom_since.pop(load.id, None)
            return False
        return now - self._headroom_since.setdefault(load.id, now) >= RETURN_AFTER

    def remove(self, load_id: str) -> None:
        """Forget a load that came back, or that something else decides over."""
        self.off.pop(load_id, None)
        self._headroom_since.pop(load_id, None)

    def _check_effect(
        self, powers: Mapping[str | None, float | None], now: float
    ) -> str | None:
        attempt = self._attempt
        if attempt is None:
            return None
        power = powers.get(attempt.limit)
        if power is not None and attempt.before - power >= SHOWN * attempt.expected:
            self._attempt = None
            self._failed = 0
            self._failures.clear()
            return None
        if now - attempt.time < EFFECT_TIME:
            return None
        self._attempt = None
        if power is None:
            # Nobody can say whether it helped.
            return None
        self._failed += 1
        self._failures.extend(attempt.loads)
        if self._failed < FAILURES:
            return None
        return self._give_up(attempt.limit, now)

    def _give_up(self, limit: str | None, now: float) -> str:
        """Let what did not help come back, and shed no more for a while."""
        for load_id in self._failures:
            self.remove(load_id)
        self._failures.clear()
        self._failed = 0
        self._futile_until = now + self._pause
        self._pause = min(LONGEST_PAUSE, 2 * self._pause)
        return limit or ""

    def _shed(
        self,
        powers: Mapping[str | None, float | None],
        candidates: list[Load],
        power_of: PowerOf,
        now: float,
    ) -> str | None:
        """Choose what goes off; return a limit for which there is nothing left."""
        lacking: str | None = None
        for limit, monitor in self._monitors.items():
            before = powers.get(limit)
            if not monitor.must_shed or before is None:
                continue
            relieved = 0.0
            chosen: list[str] = []
            for load in candidates:
                gain = power_of(load) * load.share_of(limit)
                if load.id in self.off or gain <= 0:
                    continue
                self.off[load.id] = power_of(load)
                chosen.append(load.id)
                relieved += gain
                if relieved >= monitor.excess:
                    break
            if chosen:
                self._attempt = _Attempt(limit, tuple(chosen), before, relieved, now)
                return None
            lacking = limit or ""
        return lacking

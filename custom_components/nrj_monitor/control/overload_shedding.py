"""Selection of the loads to shed while a phase or the contract is overloaded.

As few loads as relieve the limit are shed, then their effect is awaited. After two
sheds without effect no more loads are shed: the house would go dark for nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from .load import Load
from .overload import OverloadMonitor
from .supply import Supply

SHOWN: Final = 0.3
"""Part of the power that was shed by which the measured power must fall."""

FAILURES: Final = 2
"""Number of sheds without effect after which shedding is given up."""

EFFECT_TIME: Final = 10.0
"""Seconds for the effect of a shed: a relay, and a meter that reports each second."""

PAUSE: Final = 900.0
LONGEST_PAUSE: Final = 14_400.0
"""Seconds without shedding once given up: `PAUSE`, doubled up to `LONGEST_PAUSE`."""

RETURN_AFTER: Final = 60.0
RETURN_MARGIN: Final = 1.1
"""Seconds for which the headroom must exceed the power of a load by `RETURN_MARGIN`."""

type PowerOf = Callable[[Load], float]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A shed whose effect is awaited: limit, loads, and the power before, W."""

    limit: Supply
    loads: tuple[str, ...]
    before: float
    expected: float
    time: float


class OverloadShedding:
    """Relieves overloaded limits by shedding loads.

    State mutation rules: `may_return` only reads. `update` sheds and gives up,
    `advance` moves the timer of one load's return, `remove` ends a shed.
    """

    def __init__(self, monitors: Mapping[Supply, OverloadMonitor]) -> None:
        """Start without shed loads; `monitors` watch the limits."""
        self._monitors = monitors
        self.off: dict[str, float] = {}
        """Shed loads, and the power each would draw, W."""
        self._attempt: _Attempt | None = None
        self._failures: list[str] = []
        self._failed = 0
        self._futile_until: float | None = None
        self._pause = PAUSE
        self._headroom_since: dict[str, float] = {}

    @property
    def is_futile(self) -> bool:
        """Return whether shedding is given up for now."""
        return self._futile_until is not None

    @property
    def is_settled(self) -> bool:
        """Return whether nothing is off, awaited, or given up."""
        return not self.off and self._attempt is None and self._futile_until is None

    def update(
        self,
        powers: Mapping[Supply, float | None],
        candidates: Iterable[Load],
        power_of: PowerOf,
        now: float,
    ) -> Supply | None:
        """Shed for overloads; return the limit whose shedding was given up just now.

        `powers` are in W. `candidates` are the loads that are on and may be shed, the
        least important first.
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

    def advance(self, load: Load, now: float) -> None:
        """Move the timer of a shed load's return: the time with headroom for the load."""
        if load.id not in self.off:
            return
        wanted = self.off.get(load.id, load.nominal_power) * RETURN_MARGIN
        fits = all(
            monitor.is_calm and monitor.headroom >= wanted * load.share_of(limit)
            for limit, monitor in self._monitors.items()
            if load.share_of(limit) > 0
        )
        if fits:
            self._headroom_since.setdefault(load.id, now)
        else:
            self._headroom_since.pop(load.id, None)

    def may_return(self, load: Load, now: float) -> bool:
        """Return whether the limits have had headroom for a shed load long enough."""
        since = self._headroom_since.get(load.id)
        return since is not None and now - since >= RETURN_AFTER

    def remove(self, load_id: str) -> None:
        """Remove a load after its return, or when another reason decides."""
        self.off.pop(load_id, None)
        self._headroom_since.pop(load_id, None)

    def _check_effect(
        self, powers: Mapping[Supply, float | None], now: float
    ) -> Supply | None:
        """Compare the power with the last shed; return a limit given up."""
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
            # Without a measured power the effect is unknown.
            return None
        self._failed += 1
        self._failures.extend(attempt.loads)
        if self._failed < FAILURES:
            return None
        return self._give_up(attempt.limit, now)

    def _give_up(self, limit: Supply, now: float) -> Supply:
        """Let the loads without effect come back, and pause the shedding."""
        for load_id in self._failures:
            self.remove(load_id)
        self._failures.clear()
        self._failed = 0
        self._futile_until = now + self._pause
        self._pause = min(LONGEST_PAUSE, 2 * self._pause)
        return limit

    def _shed(
        self,
        powers: Mapping[Supply, float | None],
        candidates: list[Load],
        power_of: PowerOf,
        now: float,
    ) -> Supply | None:
        """Choose the loads to shed; return a limit for which no load is left."""
        lacking: Supply | None = None
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
            lacking = limit
        return lacking

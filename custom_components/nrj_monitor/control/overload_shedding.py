"""Selection of the loads to shed while a phase or the contract is overloaded.

As few loads as relieve the limit are shed, then their effect is awaited. After two
sheds without effect no more loads are shed: the house would go dark for nothing. Where
there is time, as for the mean of a quarter hour, chargers are lowered first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from .limit_monitor import LimitMonitor
from .load import Load
from .modulation import level_up_to
from .reading_rhythm import ReadingRhythm
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

SMALLEST_RISE: Final = 100.0
"""Watts by which a lowered load is raised at least."""

RETURN_AFTER: Final = 60.0
RETURN_MARGIN: Final = 1.1
"""Seconds for which the headroom must exceed the power of a load by `RETURN_MARGIN`."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A load that is on and may be relieved, with the power that it draws, W.

    An adjustable load that runs as requested can be lowered, instead of shed.
    """

    load: Load
    power: float
    can_be_lowered: bool = False


@dataclass(frozen=True, slots=True)
class _Step:
    """A way to relieve a limit: a load goes off, or down to its least power."""

    candidate: Candidate
    gain: float
    lowers: bool


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A relief whose effect is awaited: limit, loads, and the power before, W."""

    limit: Supply
    loads: tuple[str, ...]
    before: float
    expected: float
    time: float


class OverloadShedding:
    """Relieves overloaded limits by lowering and shedding loads.

    State mutation rules: `may_return` only reads. `update` relieves and gives up,
    `advance` moves the timers of one load, `remove` ends a shed, `remove_level` a
    lowered power.
    """

    def __init__(
        self, monitors: Mapping[Supply, LimitMonitor], rhythm: ReadingRhythm
    ) -> None:
        """Start without relieved loads; `rhythm` is that of the powers' readings."""
        self._monitors = monitors
        self._rhythm = rhythm
        self.off: dict[str, float] = {}
        """Shed loads, and the power each would draw, W."""
        self.levels: dict[str, float] = {}
        """Lowered loads, and the power each may draw, W."""
        self._before: dict[str, float] = {}
        self._patient: set[str] = set()
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
        """Return whether nothing is off, lowered, awaited, or given up."""
        return not (self.off or self.levels) and (
            self._attempt is None and self._futile_until is None
        )

    def update(
        self,
        powers: Mapping[Supply, float | None],
        candidates: Iterable[Candidate],
        now: float,
    ) -> Supply | None:
        """Shed for overloads; return the limit whose shedding was given up just now.

        `powers` are in W. `candidates` are the loads that are on and may be shed, the
        least important first.
        """
        candidates = list(candidates)
        for limit, monitor in self._monitors.items():
            monitor.update(powers.get(limit), now)
            steps = self._steps(limit, monitor, candidates)
            monitor.plan([step.gain for step in steps], self._rhythm.interval)
        if self._futile_until is not None and now >= self._futile_until:
            self._futile_until = None
        if all(
            monitor.is_calm and not monitor.must_shed
            for monitor in self._monitors.values()
        ):
            self._pause = PAUSE
        given_up = self._check_effect(powers, now)
        if self._attempt is None and self._futile_until is None:
            lacking = self._relieve(powers, candidates, now)
            if lacking is not None and self._failed:
                given_up = self._give_up(lacking, now)
        return given_up

    def advance(self, load: Load, now: float) -> None:
        """Move the timer of a relieved load: the time with headroom to come back, or up."""
        if load.id in self.off:
            wanted = self.off[load.id] * RETURN_MARGIN
        elif load.id in self.levels:
            wanted = max(SMALLEST_RISE, load.power_step) * RETURN_MARGIN
        else:
            return
        fits = all(
            monitor.is_calm and monitor.headroom >= wanted * load.share_of(limit)
            for limit, monitor in self._monitors.items()
            if load.share_of(limit) > 0
        )
        if not fits:
            self._headroom_since.pop(load.id, None)
            return
        since = self._headroom_since.setdefault(load.id, now)
        if load.id not in self.off and now - since >= RETURN_AFTER:
            self._raise_level(load)

    def may_return(self, load: Load, now: float) -> bool:
        """Return whether the limits have had headroom for a shed load long enough."""
        since = self._headroom_since.get(load.id)
        return since is not None and now - since >= RETURN_AFTER

    def keeps_comfort(self, load_id: str) -> bool:
        """Return whether the comfort limits of a shed load count: no fuse is at stake."""
        return load_id in self._patient

    def remove(self, load_id: str) -> None:
        """Remove a load after its return, or when another reason decides."""
        self.off.pop(load_id, None)
        self._patient.discard(load_id)
        self._headroom_since.pop(load_id, None)

    def remove_level(self, load_id: str) -> None:
        """Let a lowered load draw what it likes."""
        self.levels.pop(load_id, None)
        self._before.pop(load_id, None)

    def _raise_level(self, load: Load) -> None:
        """Give a lowered load what all limits have room for."""
        room = min(
            monitor.headroom / load.share_of(limit)
            for limit, monitor in self._monitors.items()
            if load.share_of(limit) > 0
        )
        level = level_up_to(load, self.levels[load.id] + room / RETURN_MARGIN)
        self._headroom_since.pop(load.id, None)
        if level >= min(load.nominal_power, self._before[load.id]):
            self.remove_level(load.id)
        else:
            self.levels[load.id] = level

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
        if now - attempt.time < max(EFFECT_TIME, 2 * self._rhythm.interval):
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
            self.remove_level(load_id)
        self._failures.clear()
        self._failed = 0
        self._futile_until = now + self._pause
        self._pause = min(LONGEST_PAUSE, 2 * self._pause)
        return limit

    def _steps(
        self, limit: Supply, monitor: LimitMonitor, candidates: Iterable[Candidate]
    ) -> list[_Step]:
        """Return the ways to relieve a limit, in their order."""
        lowered: list[_Step] = []
        shed: list[_Step] = []
        for candidate in candidates:
            load, power = candidate.load, candidate.power
            if load.id in self.off and (
                monitor.is_patient or not self.keeps_comfort(load.id)
            ):
                continue
            if (
                monitor.is_patient
                and candidate.can_be_lowered
                and power > load.starts_at + 1.0
            ):
                gain = (power - load.starts_at) * load.share_of(limit)
                lowered.append(_Step(candidate, gain, lowers=True))
                power = load.starts_at
            shed.append(_Step(candidate, power * load.share_of(limit), lowers=False))
        return [step for step in (*lowered, *shed) if step.gain > 0]

    def _relieve(
        self,
        powers: Mapping[Supply, float | None],
        candidates: list[Candidate],
        now: float,
    ) -> Supply | None:
        """Relieve limits; return a limit for which no load is left."""
        lacking: Supply | None = None
        for limit, monitor in self._monitors.items():
            before = powers.get(limit)
            if not monitor.must_shed or before is None:
                continue
            relieved = 0.0
            chosen: list[str] = []
            excess = monitor.excess
            for step in self._steps(limit, monitor, candidates):
                load, gain = step.candidate.load, step.gain
                share = load.share_of(limit)
                if step.lowers:
                    level = step.candidate.power - (excess - relieved) / share
                    self.levels[load.id] = level_up_to(load, level)
                    self._before.setdefault(load.id, step.candidate.power)
                    gain = (step.candidate.power - self.levels[load.id]) * share
                else:
                    self.off[load.id] = step.candidate.power
                    note = (
                        self._patient.add
                        if monitor.is_patient
                        else self._patient.discard
                    )
                    note(load.id)
                self._headroom_since.pop(load.id, None)
                chosen.append(load.id)
                relieved += gain
                if relieved >= excess:
                    break
            if chosen:
                self._attempt = _Attempt(limit, tuple(chosen), before, relieved, now)
                return None
            lacking = limit
        return lacking

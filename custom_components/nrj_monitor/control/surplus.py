"""Selection of the storage loads to run on the surplus of the house.

Loads change one at a time: the power at the grid point must show each change before
the next. Thresholds for start and stop are far apart, and each must last for a delay.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Final

from .load import Load
from .modulation import Modulation
from .reading_rhythm import ReadingRhythm

SHOWN: Final = 0.5
"""Part of a load's expected power by which the surplus must fall after a start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurplusSettings:
    """Thresholds at the grid point, W, and delays, s.

    A load starts after `start_delay` with a surplus of its least power and `margin`, and
    stops after `stop_delay` with an import above `deficit`. The effect of a start must
    show within `effect_time`; a load without effect starts again after `retry_after`.
    A reading within `settle_time` of a change says nothing of its effect. Both times grow
    with the interval of the readings.
    """

    margin: float = 100.0
    deficit: float = 100.0
    start_delay: float = 60.0
    stop_delay: float = 60.0
    effect_time: float = 60.0
    settle_time: float = 15.0
    retry_after: float = 1800.0


class SurplusRule:
    """Starts, adjusts and stops loads by the surplus.

    State mutation rules: `update`, `remove` and `record_start` change the selection;
    `running` and `level_of` are for reading.
    """

    def __init__(self, settings: SurplusSettings) -> None:
        """Start without running loads."""
        self._settings = settings
        self.running: dict[str, Load] = {}
        self._fits_since: float | None = None
        self._fitting: str | None = None
        self._lacking_since: float | None = None
        self._changed_at: float | None = None
        self._before = 0.0
        self._awaited: Load | None = None
        self._rhythm = ReadingRhythm()
        self._not_before: dict[str, float] = {}
        self._modulated: dict[str, Modulation] = {}

    def update(
        self,
        grid_power: float | None,
        candidates: Iterable[Load],
        may_start: bool,
        now: float,
        levels: Mapping[str, float | None],
        *,
        taken: float,
        rhythm: ReadingRhythm,
    ) -> list[str]:
        """Add the power at the grid point (W, import positive); return failed loads.

        `candidates` are the loads that could start, highest priority first. While the
        power is unknown no load starts, and running loads go on for `stop_delay`.
        `levels` are the powers to which adjustable loads are set, W. `taken` is the part
        of the surplus, W, that waits for loads to come back. `rhythm` is that of the
        power's readings: a reading changes one load, once.
        """
        self._rhythm = rhythm
        loads = list(candidates)
        failed: list[str] = []
        known = grid_power is not None and isfinite(grid_power)
        surplus = -grid_power if known and grid_power is not None else None
        if self._awaited is not None and self._changed_at is not None:
            failed = self._check_effect(surplus, now)
        if surplus is not None and not self._is_settling():
            free = max(0.0, surplus - taken) if surplus > 0 else surplus
            self._modulate(free, levels, now)
        self._stop(surplus, now)
        if surplus is None or not may_start or self._is_settling():
            self._fits_since = self._fitting = None
            return failed
        self._start(surplus, taken, loads, now)
        return failed

    @property
    def is_settled(self) -> bool:
        """Return whether no load runs, is awaited, or is about to start or to stop."""
        return (
            not self.running
            and self._awaited is None
            and self._fits_since is None
            and self._lacking_since is None
        )

    def is_indifferent(self, grid_power: float | None, loads: Iterable[Load]) -> bool:
        """Return whether a power at the grid point, W, starts none of `loads`."""
        least = min((load.starts_at for load in loads), default=inf)
        return grid_power is None or not -grid_power >= least + self._settings.margin

    def remove(self, load_id: str) -> None:
        """Remove a load from the loads on surplus."""
        self.running.pop(load_id, None)
        self._modulated.pop(load_id, None)
        if self._awaited is not None and self._awaited.id == load_id:
            self._awaited = None

    def level_of(self, load_id: str) -> float | None:
        """Return the power for an adjustable load, W; None for other loads."""
        modulated = self._modulated.get(load_id)
        return None if modulated is None else modulated.level

    def record_start(self, now: float) -> None:
        """Record the start of a load: its effect counts from now on."""
        self._changed_at = now

    def _is_settling(self) -> bool:
        """Return whether no reading shows the last change for certain.

        Many slow sources tell the mean of their interval.
        """
        if self._awaited is not None:
            return True
        settle_time = max(self._settings.settle_time, self._rhythm.interval)
        return (
            self._changed_at is not None
            and self._rhythm.read_at - self._changed_at < settle_time
        )

    @property
    def _is_outdated(self) -> bool:
        """Return whether the latest reading is from before the last change."""
        return self._changed_at is not None and self._rhythm.read_at <= self._changed_at

    def _check_effect(self, surplus: float | None, now: float) -> list[str]:
        """Check the effect of the last start; return the load where there is none."""
        load = self._awaited
        assert load is not None
        assert self._changed_at is not None
        drop = None if surplus is None or self._is_outdated else self._before - surplus
        effect_time = max(
            self._settings.effect_time,
            2 * self._rhythm.wait + self._settings.settle_time,
        )
        expected = self.level_of(load.id) or load.nominal_power
        if drop is not None and drop >= SHOWN * expected:
            self._awaited = None
            self._changed_at = now
        elif now - self._changed_at >= effect_time:
            # The store is full, the device is off, or a cloud came with the start.
            self._not_before[load.id] = now + self._settings.retry_after
            self.remove(load.id)
            return [load.id]
        return []

    def _modulate(
        self, surplus: float, levels: Mapping[str, float | None], now: float
    ) -> None:
        """Raise the adjustable load of highest priority, or lower the least important."""
        modulated = sorted(
            self._modulated.values(),
            key=lambda modulation: (modulation.load.priority, modulation.load.id),
            reverse=surplus > 0,
        )
        for modulation in modulated:
            if modulation.update(surplus, levels.get(modulation.load.id), now):
                self._changed_at = now
                return

    def _available(self, surplus: float, load: Load) -> float:
        """Return the surplus for `load`, W, with all loads of lower priority at least power."""
        return surplus + sum(
            modulation.spare
            for modulation in self._modulated.values()
            if modulation.load.priority < load.priority
        )

    def _stop(self, surplus: float | None, now: float) -> None:
        lacking = surplus is None or (
            -surplus > self._settings.deficit and not self._is_outdated
        )
        if not lacking or not self.running:
            self._lacking_since = None
            return
        if self._lacking_since is None:
            self._lacking_since = now
        if now - self._lacking_since >= self._settings.stop_delay:
            # Of equal priority the load that started last.
            latest_first = reversed(self.running.values())
            self.remove(min(latest_first, key=lambda load: load.priority).id)
            self._changed_at = now
            self._lacking_since = None

    def _start(
        self, surplus: float, taken: float, loads: list[Load], now: float
    ) -> None:
        free = surplus - taken
        fitting = next(
            (
                load
                for load in loads
                if load.id not in self.running
                and load.nominal_power > 0
                and self._available(free, load)
                >= load.starts_at + self._settings.margin
                and now >= self._not_before.get(load.id, now)
            ),
            None,
        )
        if fitting is None:
            self._fits_since = self._fitting = None
            return
        if self._fitting != fitting.id or self._fits_since is None:
            self._fitting, self._fits_since = fitting.id, now
        if now - self._fits_since >= self._settings.start_delay:
            self.running[fitting.id] = fitting
            if fitting.least_power is not None:
                self._modulated[fitting.id] = Modulation(
                    fitting,
                    self._available(free, fitting),
                    margin=self._settings.margin,
                    deficit=self._settings.deficit,
                )
            self._awaited, self._before = fitting, surplus
            self._changed_at = now
            self._fits_since = self._fitting = None

"""Which storage loads run on what the house would give away.

One change at a time: after each the power at the grid must show it before the next.
What starts and what ends a load are far apart, and each must last.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final

from .load import Load
from .modulation import Modulation

SHOWN: Final = 0.5
"""The part of a load's nominal power that must show for its start to count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurplusSettings:
    """Powers in W at the grid point, times in s.

    A load starts where `margin` more than the least it draws is given away for
    `start_delay`, and ends where more than `deficit` is drawn for `stop_delay`. A start
    has `effect_time` to show; one that does not is tried again after `retry_after`.
    """

    margin: float = 100.0
    deficit: float = 100.0
    start_delay: float = 60.0
    stop_delay: float = 60.0
    effect_time: float = 60.0
    settle_time: float = 15.0
    retry_after: float = 1800.0


class SurplusRule:
    """Decides which loads run on surplus."""

    def __init__(self, settings: SurplusSettings) -> None:
        """Begin with none."""
        self._settings = settings
        self.running: list[str] = []
        self._fits_since: float | None = None
        self._fitting: str | None = None
        self._lacking_since: float | None = None
        self._changed_at: float | None = None
        self._before = 0.0
        self._unproven: Load | None = None
        self._not_before: dict[str, float] = {}
        self._modulated: dict[str, Modulation] = {}

    def update(
        self,
        grid_power: float | None,
        candidates: Iterable[Load],
        may_start: bool,
        now: float,
        levels: Mapping[str, float | None],
    ) -> list[str]:
        """Take the power at the grid point (W, import positive); return what failed.

        `candidates` are the loads that could start, most important first. Where the
        power is not known nothing starts, and what runs goes on for `stop_delay`.
        `levels` are what loads that can be set are set to, W.
        """
        loads = list(candidates)
        failed: list[str] = []
        known = grid_power is not None and isfinite(grid_power)
        surplus = -grid_power if known and grid_power is not None else None
        if self._unproven is not None and self._changed_at is not None:
            failed = self._prove(surplus, now)
        if surplus is not None and not self._is_settling(now):
            self._modulate(surplus, levels, now)
        self._stop(surplus, now)
        if surplus is None or not may_start or self._is_settling(now):
            self._fits_since = self._fitting = None
            return failed
        self._start(surplus, loads, now)
        return failed

    def remove(self, load_id: str) -> None:
        """Take a load out: something else decides over it now."""
        if load_id in self.running:
            self.running.remove(load_id)
        self._modulated.pop(load_id, None)
        if self._unproven is not None and self._unproven.id == load_id:
            self._unproven = None

    def level_of(self, load_id: str) -> float | None:
        """Return what a load that can be set is to draw, W; None of all others."""
        modulated = self._modulated.get(load_id)
        return None if modulated is None else modulated.level

    def record_start(self, now: float) -> None:
        """Note that a load really came on just now: its effect shows from here."""
        self._changed_at = now

    def _is_settling(self, now: float) -> bool:
        if self._unproven is not None:
            return True
        return (
            self._changed_at is not None
            and now - self._changed_at < self._settings.settle_time
        )

    def _prove(self, surplus: float | None, now: float) -> list[str]:
        """See whether the last start shows; return it where it never did."""
        load = self._unproven
        assert load is not None
        assert self._changed_at is not None
        drop = None if surplus is None else self._before - surplus
        expected = self.level_of(load.id) or load.nominal_power
        if drop is not None and drop >= SHOWN * expected:
            self._unproven = None
            self._changed_at = now
        elif now - self._changed_at >= self._settings.effect_time:
            # Full, switched off at the device, or cloud and load at once.
            self._not_before[load.id] = now + self._settings.retry_after
            self.remove(load.id)
            return [load.id]
        return []

    def _modulate(
        self, surplus: float, levels: Mapping[str, float | None], now: float
    ) -> None:
        """Raise the most important load that can be, or lower the least, one at a time."""
        modulated = sorted(
            self._modulated.values(),
            key=lambda one: (one.load.priority, one.load.id),
            reverse=surplus > 0,
        )
        for one in modulated:
            if one.update(surplus, levels.get(one.load.id), now):
                self._changed_at = now
                return

    def _available(self, surplus: float, load: Load) -> float:
        """Return what `load` may count on, W: less important ones do with less."""
        return surplus + sum(
            one.spare
            for one in self._modulated.values()
            if one.load.priority < load.priority
        )

    def _stop(self, surplus: float | None, now: float) -> None:
        lacking = surplus is None or -surplus > self._settings.deficit
        if not lacking or not self.running:
            self._lacking_since = None
            return
        if self._lacking_since is None:
            self._lacking_since = now
        if now - self._lacking_since >= self._settings.stop_delay:
            self.remove(self.running[-1])
            self._changed_at = now
            self._lacking_since = None

    def _start(self, surplus: float, loads: list[Load], now: float) -> None:
        fitting = next(
            (
                load
                for load in loads
                if load.id not in self.running
                and load.nominal_power > 0
                and self._available(surplus, load)
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
            self.running.append(fitting.id)
            if fitting.least_power is not None:
                self._modulated[fitting.id] = Modulation(
                    fitting,
                    self._available(surplus, fitting),
                    margin=self._settings.margin,
                    deficit=self._settings.deficit,
                )
            self._unproven, self._before = fitting, surplus
            self._changed_at = now
            self._fits_since = self._fitting = None

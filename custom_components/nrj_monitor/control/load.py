"""Loads of the house: their class, and the limits within which they are switched."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from ..frequency_guard.guard_state import GuardState
from .supply import Supply


class LoadClass(StrEnum):
    """Class of a load, in the words of the firmware's relay classes."""

    NEVER_SHED = "never_shed"
    SHED_1 = "shed_1"
    SHED_2 = "shed_2"
    SHED_3 = "shed_3"
    ABSORB = "absorb"
    """Storage load: on while the grid has too much power, off from `inhibit` on."""
    SURPLUS = "surplus"
    """Storage load that also runs on surplus of the house."""

    @property
    def sheds_at(self) -> int:
        """Return the under-frequency depth from which the load goes off; 5 is never."""
        return _SHEDS_AT[self]

    @property
    def stores(self) -> bool:
        """Return whether the load may be started to absorb energy."""
        return self in (LoadClass.ABSORB, LoadClass.SURPLUS)


_SHEDS_AT = {
    LoadClass.NEVER_SHED: GuardState.SHED_3.under_depth + 1,
    LoadClass.SHED_1: GuardState.SHED_1.under_depth,
    LoadClass.SHED_2: GuardState.SHED_2.under_depth,
    LoadClass.SHED_3: GuardState.SHED_3.under_depth,
    LoadClass.ABSORB: GuardState.INHIBIT.under_depth,
    LoadClass.SURPLUS: GuardState.INHIBIT.under_depth,
}


class WhenLost(StrEnum):
    """State of a load while the meter is lost."""

    HOLD = "hold"
    OFF = "off"
    ON = "on"


class LoadError(ValueError):
    """A load with contradictory settings; `key` names the error, `field` the place."""

    def __init__(self, key: str, field: str, message: str) -> None:
        """Name error, field and value."""
        super().__init__(message)
        self.key = key
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Settings of a load.

    `priority` 0 to 100: the higher, the later it is shed within its class and the
    earlier it comes back. `phase` is the phase of a
    single-phase load, `TOTAL` for a load on all three. `nominal_power` is in W, times in s. `longest_off` and `recovery` are the
    comfort limits: the longest time off, and the time on after that; None is no limit.
    An adjustable load draws `least_power` to `nominal_power`, in steps of `power_step`,
    W; without `least_power` a load is only on or off.
    """

    id: str
    load_class: LoadClass = LoadClass.NEVER_SHED
    priority: int = 50
    phase: Supply = Supply.TOTAL
    nominal_power: float = 0.0
    minimum_on: float = 60.0
    minimum_off: float = 180.0
    longest_off: float | None = None
    recovery: float = 900.0
    when_lost: WhenLost = WhenLost.HOLD
    starts_per_hour: int = 6
    least_power: float | None = None
    power_step: float = 0.0

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            LoadError: a number is out of its range, or a never-shed load is to go off.
        """
        ranges = (
            ("priority", self.priority, 0, 100),
            ("nominal_power", self.nominal_power, 0, 100_000),
            ("minimum_on", self.minimum_on, 0, 86_400),
            ("minimum_off", self.minimum_off, 0, 86_400),
            ("recovery", self.recovery, 1, 86_400),
            ("starts_per_hour", self.starts_per_hour, 1, 60),
        )
        for field, value, low, high in ranges:
            if not isfinite(value) or not low <= value <= high:
                raise LoadError(
                    "out_of_range", field, f"{field} is {value}, not {low} to {high}"
                )
        if self.longest_off is not None and not 60 <= self.longest_off <= 86_400:
            raise LoadError(
                "out_of_range",
                "longest_off",
                f"longest_off is {self.longest_off}, not 60 to 86400",
            )
        if self.least_power is not None and not (
            0 < self.least_power <= self.nominal_power
        ):
            raise LoadError(
                "out_of_range",
                "least_power",
                f"least_power is {self.least_power}, not up to {self.nominal_power}",
            )
        if self.load_class is LoadClass.NEVER_SHED and self.when_lost is WhenLost.OFF:
            raise LoadError(
                "never_shed_off",
                "when_lost",
                "A load that is never shed cannot go off when the meter is lost",
            )

    @property
    def starts_at(self) -> float:
        """Return the least power of the load while on, W."""
        return self.nominal_power if self.least_power is None else self.least_power

    def share_of(self, part: Supply) -> float:
        """Return the fraction of the load's power on a part of the supply."""
        if part in (Supply.TOTAL, self.phase):
            return 1.0
        return 1.0 / 3.0 if self.phase is Supply.TOTAL else 0.0

"""State of the house at one moment, as the arbiter receives it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..frequency_guard.grid_view import GridView
from .supply import Supply


@dataclass(frozen=True, slots=True)
class LoadView:
    """State of a load: on or off (None: unknown), and its power in W (None: unmeasured).

    `level` is the power to which an adjustable load is set, W (None: unknown).
    """

    on: bool | None
    power: float | None = None
    level: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseView:
    """State of meter, grid and loads at `now`, s of a monotonic clock.

    `powers` are in W, import positive; a missing or None power is unknown. `guard` is
    None for a meter without a frequency. `cut_off` are the loads that must be off for
    safety. `read_at` is when the powers were read, s of the same clock; None is now.
    `time`, s since 1970, and the import counter, `imported`, kWh, are for means over
    intervals of the clock, where nothing else counts these.
    """

    now: float
    guard: GridView | None = None
    meter_there: bool = True
    powers: Mapping[Supply, float | None] = field(default_factory=dict)
    loads: Mapping[str, LoadView] = field(default_factory=dict)
    cut_off: frozenset[str] = frozenset()
    read_at: float | None = None
    time: float | None = None
    imported: float | None = None
